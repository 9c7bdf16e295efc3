#include <criterion/criterion.h>
#include <unistd.h>

#include "quota.h"

static struct quota_rule rules[] = {
	{ .group = true, .id = 50, .limit = 500 },    { .group = true, .id = 60, .limit = 600 },
	{ .group = false, .id = 1001, .limit = 100 }, { .group = true, .id = 70, .limit = 0 },
	{ .group = false, .id = 1002, .limit = 0 },
};
static const struct quota q = { .preset = 1000, .rules = rules, .count = sizeof(rules) / sizeof(rules[0]) };

static uint64_t limit(uid_t uid, gid_t a, gid_t b)
{
	const gid_t groups[] = { a < b ? a : b, a < b ? b : a };

	return quota_limit(&q, uid, groups, 2);
}

Test(quota, whom_no_rule_names_has_the_preset)
{
	cr_assert_eq(limit(4242, 1, 2), 1000);
	cr_assert_eq(quota_limit(&q, 4242, NULL, 0), 1000);
	cr_assert_eq(quota_limit(&(struct quota){ 0 }, 4242, NULL, 0), 0);
}

Test(quota, a_group_s_rule_goes_before_the_preset_and_the_largest_counts)
{
	cr_assert_eq(limit(4242, 1, 50), 500);
	cr_assert_eq(limit(4242, 50, 60), 600);
	cr_assert_eq(limit(4242, 60, 50), 600);
	cr_assert_eq(limit(4242, 50, 70), 0, "no limit is the largest");
}

Test(quota, a_user_s_own_rule_goes_before_all)
{
	cr_assert_eq(limit(1001, 60, 70), 100);
	cr_assert_eq(limit(1002, 50, 1), 0);
	cr_assert_eq(limit(50, 1, 2), 1000, "a group's number is no user's");
}

Test(quota, root_and_the_daemon_s_user_have_none_but_their_own)
{
	struct quota_rule own[] = { { .id = 0, .limit = 7 }, { .id = geteuid(), .limit = 7 } };

	cr_assert_eq(limit(0, 50, 60), 0);
	cr_assert_eq(limit(geteuid(), 50, 60), 0);
	cr_assert_eq(quota_limit(&(struct quota){ .rules = own, .count = 2 }, 0, NULL, 0), 7);
	cr_assert_eq(quota_limit(&(struct quota){ .rules = own, .count = 2 }, geteuid(), NULL, 0), 7);
}
