/* Who takes part, what is compared with what, and what spfs must reach. */
#include <errno.h>
#include <string.h>

#include "bench.h"

#define MIB (1 << 20)

/* The same kernel code on both sides: what is missing is only noise. */
static double goal_plain(size_t block, int readers)
{
	return 0.97;
}

static double goal_tee(size_t block, int readers)
{
	if (block < 4096)
		return 1.0;
	return readers == 2 ? 3.0 : readers == 8 ? 6.0 : 0;
}

static double goal_loop(size_t block, int readers)
{
	return 0.95;
}

static const struct contender others[] = {
	{ .name = "FIFO", .ops = &fifo_ops, .min_readers = 1, .max_readers = 1 },
	{ .name = "FIFO 1M", .ops = &fifo_ops, .size = MIB, .min_readers = 1, .max_readers = 1 },
	{ .name = "tee", .ops = &tee_ops, .min_readers = 2, .max_readers = MAX_READERS },
	{ .name = "pee", .ops = &pee_ops, .min_readers = 2, .max_readers = MAX_READERS },
	{ .name = "mbuffer", .ops = &mbuffer_ops, .min_readers = 2, .max_readers = MAX_READERS },
	{ .name = "bare loop", .ops = &teeloop_ops, .size = MIB, .min_readers = 1, .max_readers = MAX_READERS },
};

static const struct comparison comparisons[] = {
	{ "channel", "FIFO", 1, 1, goal_plain },
	{ "channel 1M", "FIFO 1M", 1, 1, goal_plain },
	{ "taps", "FIFO 1M", 1, 1, NULL },
	{ "taps", "tee", 2, MAX_READERS, goal_tee },
	{ "taps", "pee", 2, MAX_READERS, NULL },
	{ "taps", "mbuffer", 2, MAX_READERS, NULL },
	{ "taps", "bare loop", 1, MAX_READERS, goal_loop },
};

static struct contender *add(struct plan *plan, const struct contender *contender)
{
	if (plan->contender_count == MAX_CONTENDERS)
		return NULL;
	plan->contenders[plan->contender_count] = *contender;
	return &plan->contenders[plan->contender_count++];
}

static int add_taps(struct plan *plan, const char *name, const char *mount, pid_t daemon)
{
	struct contender c = {
		.ops = &tap_ops,
		.min_readers = 1,
		.max_readers = MAX_READERS,
		.mount = mount,
		.daemon = daemon,
	};
	struct contender *added;

	snprintf(c.name, sizeof(c.name), "taps%s%s", *name ? " " : "", name);
	added = add(plan, &c);
	if (!added)
		return -E2BIG;
	if (plan->contender_count > 1 && plan->comparison_count < MAX_COMPARISONS)
		plan->comparisons[plan->comparison_count++] =
			(struct comparison){ plan->contenders[0].name, added->name, 1, MAX_READERS, NULL };
	return 0;
}

int plan_add_mount(struct plan *plan, const char *name, const char *dir, pid_t daemon)
{
	struct contender plain = {
		.name = "channel",
		.ops = &channel_ops,
		.min_readers = 1,
		.max_readers = 1,
		.mount = dir,
		.daemon = daemon,
	};
	int err;

	if (plan->contender_count)
		return add_taps(plan, name, dir, daemon);
	err = add_taps(plan, "", dir, daemon);
	add(plan, &plain);
	snprintf(plain.name, sizeof(plain.name), "channel 1M");
	plain.size = MIB;
	add(plan, &plain);
	return err;
}

void plan_add_others(struct plan *plan)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		add(plan, &others[i]);
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		if (plan->comparison_count < MAX_COMPARISONS)
			plan->comparisons[plan->comparison_count++] = comparisons[i];
}

const struct contender *plan_find(const struct plan *plan, const char *name)
{
	for (int i = 0; i < plan->contender_count; i++)
		if (strcmp(plan->contenders[i].name, name) == 0)
			return &plan->contenders[i];
	return NULL;
}
