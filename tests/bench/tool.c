/* Programs that copy one stream to several: each reads a FIFO and writes a FIFO for each reader. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "fifo.h"

static int start(struct run *run, const struct spawn *how, char **argv)
{
	run->copier = spawn(how, argv);
	return run->copier < 0 ? run->copier : 0;
}

/* As a shell would: the last copy is tee's standard output. */
static int tee_start(struct run *run)
{
	struct spawn how = { .in = run->in, .out = run->out[run->readers - 1] };
	char *argv[MAX_READERS + 2] = { "tee" };

	for (int i = 0; i < run->readers - 1; i++)
		argv[i + 1] = run->out[i];
	return start(run, &how, argv);
}

/* mbuffer's own default is a buffer of 2 % of the memory in blocks of 4 MiB: measured slower. */
static int mbuffer_start(struct run *run)
{
	struct spawn how = { .in = run->in };
	char *argv[3 * MAX_READERS + 10] = { "mbuffer", "-v1", "-q", "-Q", "-s", "64k", "-m", "4M" };

	for (int i = 0; i < run->readers; i++) {
		argv[3 * i + 8] = "-f"; /* it holds for the next output only */
		argv[3 * i + 9] = "-o";
		argv[3 * i + 10] = run->out[i];
	}
	return start(run, &how, argv);
}

/* pee starts the readers itself, each on a pipe: no second process copies on the way. */
static int pee_start(struct run *run)
{
	struct spawn how = { .in = run->in, .keep = run->peer, .keeps = run->readers };
	char *argv[MAX_READERS + 2] = { "pee" };
	static char commands[MAX_READERS][2 * PATH_LEN];

	for (int i = 0; i < run->readers; i++) {
		snprintf(commands[i], sizeof(commands[i]), "exec '%s/bench-read' %s --report %d -", run->programs,
			 run->hash ? "--hash" : "", run->peer[i]);
		argv[i + 1] = commands[i];
	}
	return start(run, &how, argv);
}

static int teeloop_start(struct run *run)
{
	struct spawn how = { .in = run->in };
	char *argv[MAX_READERS + 4];
	char program[PATH_LEN], size[16];

	snprintf(program, sizeof(program), "%s/bench-teeloop", run->programs);
	snprintf(size, sizeof(size), "%d", run->contender->size);
	argv[0] = program;
	argv[1] = "--size";
	argv[2] = size;
	for (int i = 0; i < run->readers; i++)
		argv[i + 3] = run->out[i];
	argv[run->readers + 3] = NULL;
	return start(run, &how, argv);
}

const struct contender_ops tee_ops = { .setup = fifos_make, .start = tee_start, .finish = fifos_remove };
const struct contender_ops mbuffer_ops = { .setup = fifos_make, .start = mbuffer_start, .finish = fifos_remove };
const struct contender_ops teeloop_ops = { .setup = fifos_make, .start = teeloop_start, .finish = fifos_remove };
const struct contender_ops pee_ops = {
	.setup = fifos_make,
	.start = pee_start,
	.finish = fifos_remove,
	.brings_readers = true,
};
