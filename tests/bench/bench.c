/* The driver of scripts/bench: the cases, one after the other, and the table at the end. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static void on_signal(int number)
{
	interrupted = number;
}

/* Not restarted: a wait for a child or a report ends at once. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

/* The other programs lie beside this one. */
static const char *programs(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		return ".";
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	return path;
}

static int measure(const struct plan *plan)
{
	int total = plan->block_count * plan->reader_count, done = 0, failed = 0;
	struct bench_case *cases = calloc((size_t)total, sizeof(*cases));
	bool tty = isatty(STDERR_FILENO);
	FILE *file;

	if (!cases)
		return 1;
	for (; done < total && !interrupted; done++) {
		struct bench_case *c = &cases[done];

		c->readers = plan->readers[done / plan->block_count];
		c->block = plan->blocks[done % plan->block_count];
		fprintf(stderr, "%s[%d/%d] %d readers, %zu byte writes      %s", tty ? "\r" : "", done + 1, total,
			c->readers, c->block, tty ? "" : "\n");
		failed += case_run(plan, c);
	}
	if (tty)
		fputs("\r\033[K", stderr);
	if (!interrupted) {
		table_print(plan, cases, done, stdout, false);
		file = plan->markdown ? fopen(plan->markdown, "we") : NULL;
		if (file)
			table_print(plan, cases, done, file, true);
		if (plan->markdown && (!file || fclose(file) != 0)) {
			fprintf(stderr, "bench: %s: %s\n", plan->markdown, strerror(errno));
			failed++;
		}
	}
	for (int i = 0; i < done; i++)
		case_free(&cases[i]);
	free(cases);
	return failed;
}

int main(int argc, char **argv)
{
	static struct plan plan;
	int failed;

	options_parse(&plan, argc, argv);
	plan.programs = programs();
	snprintf(plan.dir, sizeof(plan.dir), "/tmp/spfs-bench.XXXXXX");
	if (!mkdtemp(plan.dir)) {
		perror(plan.dir);
		return 1;
	}
	catch_signals();
	failed = plan.verify ? case_verify(&plan) : measure(&plan);
	if (plan.verify && !failed && !interrupted)
		puts("every reader of every contender got every byte");
	rmdir(plan.dir);
	if (interrupted)
		return 128 + interrupted;
	return failed ? 1 : 0;
}
