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
	static struct bench_case cases[MAX_CASES];
	int total = plan_cases(plan, cases), done = 0, failed = 0;
	bool tty = isatty(STDERR_FILENO);
	char text[CASE_TEXT];
	FILE *file;

	for (; done < total && !interrupted; done++) {
		case_text(&cases[done], text, sizeof(text));
		fprintf(stderr, "%s[%d/%d] %s      %s", tty ? "\r" : "", done + 1, total, text, tty ? "" : "\n");
		failed += plan->verify ? case_verify(plan, &cases[done]) : case_run(plan, &cases[done]);
	}
	if (tty)
		fputs("\r\033[K", stderr);
	if (plan->verify && !failed && !interrupted)
		puts("every reader of every contender got every byte");
	if (!plan->verify && !interrupted) {
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
	return failed;
}

int main(int argc, char **argv)
{
	static struct plan plan;
	int failed;

	options_parse(&plan, argc, argv);
	plan.programs = programs();
	if (!mkdtemp(plan.dir)) {
		perror(plan.dir);
		return 1;
	}
	if (!mkdtemp(plan.received)) {
		perror(plan.received);
		rmdir(plan.dir);
		return 1;
	}
	catch_signals();
	failed = measure(&plan);
	input_remove(plan.dir);
	rmdir(plan.received);
	rmdir(plan.dir);
	if (interrupted)
		return 128 + interrupted;
	return failed ? 1 : 0;
}
