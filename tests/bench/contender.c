/* Who takes part, what is compared with what, and what spfs must reach. */
#include <errno.h>
#include <string.h>

#include "bench.h"

#define MIB (1 << 20)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The same kernel code on both sides: what is missing is only noise. */
static double goal_plain(const struct bench_case *c)
{
	return 0.97;
}

static double goal_tee(const struct bench_case *c)
{
	if (c->block < 4096)
		return 1.0;
	return c->readers == 2 ? 3.0 : c->readers == 8 ? 6.0 : 0;
}

static double goal_loop(const struct bench_case *c)
{
	return 0.95;
}

static double goal_socat(const struct bench_case *c)
{
	return c->route == ROUTE_SEND ? 1.5 : 0;
}

static double goal_socat_tee(const struct bench_case *c)
{
	return 2.0;
}

static const struct contender others[] = {
	{ .name = "FIFO", .ops = &fifo_ops, .min_readers = 1, .max_readers = 1 },
	{ .name = "FIFO 1M", .ops = &fifo_ops, .size = MIB, .min_readers = 1, .max_readers = 1 },
	{ .name = "tee", .ops = &tee_ops, .min_readers = 2, .max_readers = MAX_READERS },
	{ .name = "pee", .ops = &pee_ops, .min_readers = 2, .max_readers = MAX_READERS },
	{ .name = "mbuffer", .ops = &mbuffer_ops, .min_readers = 2, .max_readers = MAX_READERS },
	{ .name = "bare loop", .ops = &teeloop_ops, .size = MIB, .min_readers = 1, .max_readers = MAX_READERS },

	{ .name = "sendfile", .ops = &sendfile_ops, .route = ROUTE_SEND, .min_readers = 1, .max_readers = 1 },
	{ .name = "socat", .ops = &socat_ops, .route = ROUTE_SEND, .min_readers = 1, .max_readers = 1 },
	{ .name = "socat 64K",
	  .ops = &socat_ops,
	  .route = ROUTE_SEND,
	  .size = 1 << 16,
	  .min_readers = 1,
	  .max_readers = 1 },
	{ .name = "pv | nc", .ops = &pv_nc_ops, .route = ROUTE_SEND, .min_readers = 1, .max_readers = 1 },

	{ .name = "socat", .ops = &socat_ops, .route = ROUTE_RECEIVE, .min_readers = 1, .max_readers = 1 },
	{ .name = "socat 64K",
	  .ops = &socat_ops,
	  .route = ROUTE_RECEIVE,
	  .size = 1 << 16,
	  .min_readers = 1,
	  .max_readers = 1 },
	{ .name = "socat | tee",
	  .ops = &socat_tee_ops,
	  .route = ROUTE_RECEIVE,
	  .min_readers = 2,
	  .max_readers = MAX_READERS },
};

static const struct comparison comparisons[] = {
	{ "channel", "FIFO", goal_plain },
	{ "channel 1M", "FIFO 1M", goal_plain },
	{ "taps", "FIFO 1M" },
	{ "taps", "tee", goal_tee },
	{ "taps", "pee" },
	{ "taps", "mbuffer" },
	{ "taps", "bare loop", goal_loop },
	{ "ports", "sendfile", goal_loop, 1.10 },
	{ "ports", "socat", goal_socat },
	{ "ports", "socat 64K" },
	{ "ports", "pv | nc" },
	{ "ports", "socat | tee", goal_socat_tee },
};

static struct contender *add(struct plan *plan, const struct contender *contender)
{
	if (plan->contender_count == MAX_CONTENDERS)
		return NULL;
	plan->contenders[plan->contender_count] = *contender;
	return &plan->contenders[plan->contender_count++];
}

/* What is measured of every mount. */
static const struct contender ours[] = {
	{ .name = "taps", .ops = &tap_ops, .min_readers = 1, .max_readers = MAX_READERS },
	{ .name = "ports", .ops = &send_ops, .route = ROUTE_SEND, .min_readers = 1, .max_readers = 1 },
	{ .name = "ports", .ops = &receive_ops, .route = ROUTE_RECEIVE, .min_readers = 1, .max_readers = MAX_READERS },
};

/* And of the first one. */
static const struct contender plain[] = {
	{ .name = "channel", .ops = &channel_ops, .min_readers = 1, .max_readers = 1 },
	{ .name = "channel 1M", .ops = &channel_ops, .size = MIB, .min_readers = 1, .max_readers = 1 },
};

static struct contender *add_ours(struct plan *plan, const struct contender *contender, const char *dir, pid_t daemon)
{
	struct contender *added = add(plan, contender);

	if (added) {
		added->mount = dir;
		added->daemon = daemon;
	}
	return added;
}

static void compare(struct plan *plan, const struct comparison *comparison)
{
	if (plan->comparison_count < MAX_COMPARISONS)
		plan->comparisons[plan->comparison_count++] = *comparison;
}

/* A name may be there on several routes. */
static bool compared(const struct plan *plan, const char *other)
{
	for (int i = 0; i < plan->comparison_count; i++)
		if (strcmp(plan->comparisons[i].other, other) == 0)
			return true;
	return false;
}

int plan_add_mount(struct plan *plan, const char *name, const char *dir, pid_t daemon)
{
	bool first = plan->contender_count == 0;

	for (size_t i = 0; i < COUNT(ours); i++) {
		struct contender *added = add_ours(plan, &ours[i], dir, daemon);

		if (!added)
			return -E2BIG;
		if (first)
			continue;
		snprintf(added->name, sizeof(added->name), "%.8s %.20s", ours[i].name, name);
		if (!compared(plan, added->name))
			compare(plan, &(struct comparison){ ours[i].name, added->name });
	}
	for (size_t i = 0; i < COUNT(plain) && first; i++)
		add_ours(plan, &plain[i], dir, daemon);
	return 0;
}

void plan_add_others(struct plan *plan)
{
	for (size_t i = 0; i < COUNT(others); i++)
		add(plan, &others[i]);
	for (size_t i = 0; i < COUNT(comparisons); i++)
		compare(plan, &comparisons[i]);
}

const struct contender *plan_find(const struct plan *plan, const char *name, enum route route)
{
	for (int i = 0; i < plan->contender_count; i++)
		if (plan->contenders[i].route == route && strcmp(plan->contenders[i].name, name) == 0)
			return &plan->contenders[i];
	return NULL;
}
