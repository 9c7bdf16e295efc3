#include "quota.h"

#include <sys/resource.h>
#include <unistd.h>

#include "fifo.h"
#include "gids.h"

/* About what a node takes of the daemon's memory and the kernel's. */
#define NODE_BYTES 2048

uint64_t quota_descriptors_max(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 1024 : limit.rlim_max;
}

uint64_t quota_descriptors_preset(void)
{
	return quota_descriptors_max() / 4;
}

uint64_t quota_shared(enum account_resource of)
{
	uint64_t fds = quota_descriptors_max();
	long pages = sysconf(_SC_PHYS_PAGES);

	switch (of) {
	case ACCOUNT_NODES:
		return pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) / 4 / NODE_BYTES : 0;
	case ACCOUNT_DESCRIPTORS:
		return fds > 8ul * FIFO_FD_RESERVE ? fds - fds / 8 - FIFO_FD_RESERVE : fds / 2;
	default:
		return 0;
	}
}

uint64_t quota_limit(const struct quota *q, uid_t uid, const gid_t *groups, size_t count)
{
	uint64_t largest = 0;
	bool found = false;

	for (size_t i = 0; i < q->count; i++)
		if (!q->rules[i].group && q->rules[i].id == uid)
			return q->rules[i].limit;
	if (uid == 0 || uid == geteuid())
		return 0;
	for (size_t i = 0; i < q->count; i++) {
		const struct quota_rule *rule = &q->rules[i];

		if (!rule->group || !gids_have(groups, count, rule->id))
			continue;
		if (!rule->limit)
			return 0;
		if (rule->limit > largest)
			largest = rule->limit;
		found = true;
	}
	return found ? largest : q->preset;
}
