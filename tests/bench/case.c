/* The rounds of a case: in each, every contender has one run. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MIB (1024.0 * 1024.0)

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(const double *values, int count)
{
	double sorted[MAX_ROUNDS];

	if (count <= 0)
		return NAN;
	memcpy(sorted, values, (size_t)count * sizeof(*values));
	qsort(sorted, (size_t)count, sizeof(*values), ascending);
	return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

double best(const double *values, int count)
{
	double max = NAN;

	for (int i = 0; i < count; i++)
		max = fmax(max, values[i]);
	return max;
}

/* @only: names of contenders, separated by commas. */
static bool named(const char *only, const char *name)
{
	size_t len = strlen(name);

	if (!only)
		return true;
	for (const char *p = only; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
		if (strncmp(p, name, len) == 0 && (p[len] == ',' || !p[len]))
			return true;
	return false;
}

static bool takes_part(const struct plan *plan, const struct contender *c, const struct bench_case *bc)
{
	return c->route == bc->route && bc->readers >= c->min_readers && bc->readers <= c->max_readers &&
	       named(plan->only, c->name);
}

static struct run *run_new(const struct plan *plan)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		exit(1);
	run->programs = plan->programs;
	run->dir = plan->dir;
	run->received = plan->received;
	return run;
}

int plan_cases(const struct plan *plan, struct bench_case *cases)
{
	static const struct bench_case transfers[] = {
		{ .route = ROUTE_SEND, .block = 1 << 20, .readers = 1 },
		{ .route = ROUTE_SEND, .cold = true, .block = 1 << 20, .readers = 1 },
		{ .route = ROUTE_RECEIVE, .block = 1 << 20, .readers = 1 },
		{ .route = ROUTE_RECEIVE, .block = 1 << 20, .readers = 2 },
	};
	int count = 0;

	for (int i = 0; i < plan->reader_count * plan->block_count && plan->tee; i++)
		cases[count++] = (struct bench_case){
			.readers = plan->readers[i / plan->block_count],
			.block = plan->blocks[i % plan->block_count],
		};
	for (size_t i = 0; i < sizeof(transfers) / sizeof(transfers[0]) && plan->ports; i++)
		cases[count++] = transfers[i];
	return count;
}

void case_text(const struct bench_case *bc, char *text, size_t len)
{
	if (bc->route == ROUTE_SEND)
		snprintf(text, len, "%sfile to TCP", bc->cold ? "cold " : "");
	else if (bc->route == ROUTE_RECEIVE)
		snprintf(text, len, "TCP to %d file%s", bc->readers, bc->readers == 1 ? "" : "s");
	else
		snprintf(text, len, "%d readers, %zu byte writes", bc->readers, bc->block);
}

static uint64_t whole_blocks(double bytes, size_t block)
{
	double blocks = floor(bytes / (double)block);

	return (uint64_t)fmax(blocks, 1) * block;
}

/* How many bytes take about plan->seconds; also warms up. 0: it fails. */
static uint64_t calibrate(const struct plan *plan, struct run *run, const struct contender *c,
			  const struct bench_case *bc)
{
	size_t block = bc->block;
	double bytes = block < 4096 ? 2 * MIB : 32 * MIB;

	if (bc->route != ROUTE_PIPES)
		return run_once(run, c, bc, plan->transfer) < 0 ? 0 : plan->transfer;
	for (int i = 0; i < 6; i++) {
		if (run_once(run, c, bc, whole_blocks(bytes, block)) < 0)
			return 0;
		if (run->seconds > plan->seconds / 3)
			break;
		bytes *= fmin(plan->seconds / fmax(run->seconds, 1e-4), 6);
	}
	return whole_blocks((double)run->bytes * plan->seconds / run->seconds, block);
}

/* A run of its own: counting slows the daemon down. */
static double count_calls(const struct plan *plan, struct run *run, const struct contender *c,
			  const struct bench_case *bc, uint64_t bytes)
{
	struct counter counter = { 0 };
	double calls;
	int err = counter_start(&counter, plan->dir, c->daemon);

	if (err < 0)
		return -1;
	err = run_once(run, c, bc, bytes);
	calls = counter_stop(&counter);
	return err < 0 || calls < 0 ? -1 : calls / (double)bytes * 1024 * MIB;
}

int case_run(const struct plan *plan, struct bench_case *bc)
{
	uint64_t bytes[MAX_CONTENDERS] = { 0 };
	int count = plan->contender_count, failed = 0;
	double *wakes = calloc((size_t)(count * plan->rounds), sizeof(*wakes));
	struct run *run;

	if (!wakes)
		exit(1);
	if (bc->route == ROUTE_SEND && input_make(plan, bc->block, plan->transfer) < 0) {
		free(wakes);
		return 1;
	}
	run = run_new(plan);
	for (int i = 0; i < count; i++) {
		bc->results[i].rate = calloc((size_t)plan->rounds, sizeof(double));
		bc->results[i].cpu = calloc((size_t)plan->rounds, sizeof(double));
		bc->results[i].calls = -1;
		if (!bc->results[i].rate || !bc->results[i].cpu)
			exit(1);
		if (!takes_part(plan, &plan->contenders[i], bc) || interrupted)
			continue;
		bc->results[i].in = true;
		bytes[i] = calibrate(plan, run, &plan->contenders[i], bc);
		failed += !bytes[i];
	}
	for (int round = 0; round < plan->rounds; round++) {
		for (int k = 0; k < count && !interrupted; k++) {
			int i = (k + round) % count; /* nobody is always the first */
			double gib = (double)bytes[i] / MIB / 1024;

			if (!bytes[i])
				continue;
			if (run_once(run, &plan->contenders[i], bc, bytes[i]) < 0) {
				failed++;
				continue;
			}
			bc->results[i].rate[round] = gib * 1024 / run->seconds;
			bc->results[i].cpu[round] = run->used.cpu / gib;
			wakes[i * plan->rounds + round] = run->used.cpu < 0 ? -1 : run->used.wakes / gib;
		}
	}
	for (int i = 0; i < count && !interrupted; i++) {
		bc->results[i].wakes = median(wakes + i * plan->rounds, plan->rounds);
		if (plan->calls && bytes[i] && plan->contenders[i].daemon)
			bc->results[i].calls = count_calls(plan, run, &plan->contenders[i], bc, bytes[i]);
	}
	free(wakes);
	free(run);
	return failed;
}

void case_free(struct bench_case *bc)
{
	for (int i = 0; i < MAX_CONTENDERS; i++) {
		free(bc->results[i].rate);
		free(bc->results[i].cpu);
	}
}

/* Odd sizes and the usual ones: every byte of every reader. */
int case_verify(const struct plan *plan, const struct bench_case *bc)
{
	struct bench_case c = *bc;
	struct run *run = run_new(plan);
	char text[CASE_TEXT];
	int failed = 0;

	run->hash = true;
	for (int odd = 0; odd < 2; odd++) {
		uint64_t bytes, expect;

		c.block = bc->block + (odd ? 13 : 0);
		bytes = (c.block < 4096 ? 1 : 16) * (1 << 20) + 7;
		expect = run_expect(c.block, bytes);
		case_text(&c, text, sizeof(text));
		if (c.route == ROUTE_SEND && input_make(plan, c.block, bytes) < 0) {
			failed++;
			continue;
		}
		for (int i = 0; i < plan->contender_count && !interrupted; i++) {
			const struct contender *contender = &plan->contenders[i];

			if (!takes_part(plan, contender, &c))
				continue;
			if (run_once(run, contender, &c, bytes) < 0) {
				failed++;
			} else if (run->digest != expect) {
				fprintf(stderr, "bench: %s, %s: wrong bytes\n", contender->name, text);
				failed++;
			}
		}
	}
	free(run);
	return failed;
}
