#include "quota.h"

#include <unistd.h>

static bool quota_is_member(gid_t gid, const gid_t *groups, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

uint64_t quota_limit(const struct quotas *q, uid_t uid, const gid_t *groups, size_t count)
{
	uint64_t largest = 0;
	bool found = false;

	for (size_t i = 0; i < q->count; i++)
		if (!q->rules[i].group && q->rules[i].id == uid)
			return q->rules[i].bytes;
	if (uid == 0 || uid == geteuid())
		return 0;
	for (size_t i = 0; i < q->count; i++) {
		const struct quota_rule *rule = &q->rules[i];

		if (!rule->group || !quota_is_member(rule->id, groups, count))
			continue;
		if (!rule->bytes)
			return 0;
		if (rule->bytes > largest)
			largest = rule->bytes;
		found = true;
	}
	return found ? largest : q->preset;
}
