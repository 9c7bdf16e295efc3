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

static bool takes_part(const struct plan *plan, const struct contender *c, int readers)
{
	return readers >= c->min_readers && readers <= c->max_readers && named(plan->only, c->name);
}

static uint64_t whole_blocks(double bytes, size_t block)
{
	double blocks = floor(bytes / (double)block);

	return (uint64_t)fmax(blocks, 1) * block;
}

/* How many bytes take about plan->seconds; also warms up. 0: it fails. */
static uint64_t calibrate(const struct plan *plan, struct run *run, const struct contender *c, size_t block,
			  int readers)
{
	double bytes = block < 4096 ? 2 * MIB : 32 * MIB;

	for (int i = 0; i < 6; i++) {
		if (run_once(run, c, block, readers, whole_blocks(bytes, block)) < 0)
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
	err = run_once(run, c, bc->block, bc->readers, bytes);
	calls = counter_stop(&counter);
	return err < 0 || calls < 0 ? -1 : calls / (double)bytes * 1024 * MIB;
}

int case_run(const struct plan *plan, struct bench_case *bc)
{
	struct run *run = calloc(1, sizeof(*run));
	uint64_t bytes[MAX_CONTENDERS] = { 0 };
	int count = plan->contender_count, failed = 0;
	double *cpu = calloc((size_t)(2 * count * plan->rounds), sizeof(*cpu));
	double *wakes = cpu ? cpu + count * plan->rounds : NULL;

	if (!run || !cpu)
		exit(1);
	run->programs = plan->programs;
	run->dir = plan->dir;
	for (int i = 0; i < count; i++) {
		bc->results[i].rate = calloc((size_t)plan->rounds, sizeof(double));
		bc->results[i].calls = -1;
		if (!takes_part(plan, &plan->contenders[i], bc->readers) || interrupted)
			continue;
		bc->results[i].in = true;
		bytes[i] = calibrate(plan, run, &plan->contenders[i], bc->block, bc->readers);
		failed += !bytes[i];
	}
	for (int round = 0; round < plan->rounds; round++) {
		for (int k = 0; k < count && !interrupted; k++) {
			int i = (k + round) % count; /* nobody is always the first */
			double gib = (double)bytes[i] / MIB / 1024;

			if (!bytes[i])
				continue;
			if (run_once(run, &plan->contenders[i], bc->block, bc->readers, bytes[i]) < 0) {
				failed++;
				continue;
			}
			bc->results[i].rate[round] = gib * 1024 / run->seconds;
			cpu[i * plan->rounds + round] = run->used.cpu / gib;
			wakes[i * plan->rounds + round] = run->used.cpu < 0 ? -1 : run->used.wakes / gib;
		}
	}
	for (int i = 0; i < count && !interrupted; i++) {
		bc->results[i].cpu = median(cpu + i * plan->rounds, plan->rounds);
		bc->results[i].wakes = median(wakes + i * plan->rounds, plan->rounds);
		if (plan->calls && bytes[i] && plan->contenders[i].daemon)
			bc->results[i].calls = count_calls(plan, run, &plan->contenders[i], bc, bytes[i]);
	}
	free(cpu);
	free(run);
	return failed;
}

void case_free(struct bench_case *bc)
{
	for (int i = 0; i < MAX_CONTENDERS; i++)
		free(bc->results[i].rate);
}

/* Odd sizes and the usual ones: every byte of every reader. */
int case_verify(const struct plan *plan)
{
	struct run *run = calloc(1, sizeof(*run));
	int failed = 0;

	if (!run)
		return 1;
	run->programs = plan->programs;
	run->dir = plan->dir;
	run->hash = true;
	for (int b = 0; b < plan->block_count; b++) {
		for (int odd = 0; odd < 2; odd++) {
			size_t block = plan->blocks[b] + (odd ? 13 : 0);
			uint64_t bytes = (block < 4096 ? 1 : 16) * (1 << 20) + 7;
			uint64_t expect = run_expect(block, bytes);

			for (int i = 0; i < plan->contender_count * plan->reader_count && !interrupted; i++) {
				const struct contender *c = &plan->contenders[i / plan->reader_count];
				int readers = plan->readers[i % plan->reader_count];

				if (!takes_part(plan, c, readers))
					continue;
				if (run_once(run, c, block, readers, bytes) < 0) {
					failed++;
				} else if (run->digest != expect) {
					fprintf(stderr, "bench: %s, %d readers, %zu byte writes: wrong bytes\n",
						c->name, readers, block);
					failed++;
				}
			}
		}
	}
	free(run);
	return failed;
}
