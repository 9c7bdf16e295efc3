/*
 * One table, a row for each comparison. The ratio of the bests says what is possible; the median of
 * the ratios within each round is what a noisy machine disturbs least, and what a goal is held against.
 */
#include <math.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "bench.h"

enum column {
	ROUTE,
	READERS,
	WRITES,
	OURS,
	BEST1,
	MEDIAN1,
	OTHER,
	BEST2,
	MEDIAN2,
	RATIO_BEST,
	RATIO,
	GOAL,
	CPU1,
	CPU2,
	CPU_RATIO,
	CPU_GOAL,
	WAKES,
	CALLS,
	COLUMNS
};

static const struct {
	const char *title;
	int width; /* negative: flush left */
} columns[COLUMNS] = {
	[ROUTE] = { "route", -15 },     [READERS] = { "readers", 7 }, [WRITES] = { "writes", 6 },
	[OURS] = { "spfs", -11 },       [BEST1] = { "best", 6 },      [MEDIAN1] = { "median", 6 },
	[OTHER] = { "against", -11 },   [BEST2] = { "best", 6 },      [MEDIAN2] = { "median", 6 },
	[RATIO_BEST] = { "x best", 6 }, [RATIO] = { "x median", 8 },  [GOAL] = { "goal", 10 },
	[CPU1] = { "cpu", 5 },          [CPU2] = { "cpu", 5 },        [CPU_RATIO] = { "x cpu", 5 },
	[CPU_GOAL] = { "goal", 10 },    [WAKES] = { "wakes", 6 },     [CALLS] = { "calls", 7 },
};

typedef char row[COLUMNS][32];

static void print_row(const struct plan *plan, FILE *file, bool markdown, row cells)
{
	for (int i = 0; i < COLUMNS; i++) {
		if (i == CALLS && !plan->calls)
			continue;
		fprintf(file, "%s%*s", markdown ? "| " : i ? "  " : "", columns[i].width, cells[i]);
		if (markdown)
			fputc(' ', file);
	}
	fputs(markdown ? "|\n" : "\n", file);
}

static void print_titles(const struct plan *plan, FILE *file, bool markdown)
{
	row cells;

	for (int i = 0; i < COLUMNS; i++)
		snprintf(cells[i], sizeof(cells[i]), "%s", columns[i].title);
	print_row(plan, file, markdown, cells);
	if (!markdown)
		return;
	for (int i = 0; i < COLUMNS; i++)
		if (i != CALLS || plan->calls)
			fputs(columns[i].width < 0 ? "|:--" : "|--:", file);
	fputs("|\n", file);
}

static void size_text(char *text, size_t len, size_t bytes)
{
	if (bytes % (1 << 20) == 0)
		snprintf(text, len, "%zuM", bytes >> 20);
	else if (bytes % 1024 == 0)
		snprintf(text, len, "%zuK", bytes >> 10);
	else
		snprintf(text, len, "%zu", bytes);
}

static void number(char *text, size_t len, double value, int decimals)
{
	if (isnan(value) || value < 0)
		snprintf(text, len, "-");
	else
		snprintf(text, len, "%.*f", decimals, value);
}

/* The median over the rounds in which both have run. */
static double ratio_median(const struct plan *plan, const double *ours, const double *other)
{
	double ratios[MAX_ROUNDS];
	int count = 0;

	for (int i = 0; i < plan->rounds; i++)
		if (ours[i] > 0 && other[i] > 0)
			ratios[count++] = ours[i] / other[i];
	return median(ratios, count);
}

static void case_cells(const struct bench_case *c, row cells)
{
	static const char *const routes[] = {
		[ROUTE_PIPES] = "pipes",
		[ROUTE_SEND] = "file > TCP",
		[ROUTE_RECEIVE] = "TCP > files",
	};

	snprintf(cells[ROUTE], sizeof(cells[0]), "%s%s", c->cold ? "cold " : "", routes[c->route]);
	snprintf(cells[READERS], sizeof(cells[0]), "%d", c->readers);
	if (c->route != ROUTE_SEND)
		size_text(cells[WRITES], sizeof(cells[0]), c->block);
}

static void compare(const struct plan *plan, const struct bench_case *c, const struct comparison *cmp, FILE *file,
		    bool markdown)
{
	const struct contender *a = plan_find(plan, cmp->ours, c->route), *b = plan_find(plan, cmp->other, c->route);
	double goal = cmp->goal ? cmp->goal(c) : 0, ratio, cpu_ratio, best1, best2;
	const struct result *ours, *other;
	row cells = { 0 };

	if (!a || !b)
		return;
	ours = &c->results[a - plan->contenders];
	other = &c->results[b - plan->contenders];
	if (!ours->in || !other->in)
		return;
	best1 = best(ours->rate, plan->rounds);
	best2 = best(other->rate, plan->rounds);
	ratio = ratio_median(plan, ours->rate, other->rate);
	cpu_ratio = ratio_median(plan, ours->cpu, other->cpu);
	case_cells(c, cells);
	snprintf(cells[OURS], sizeof(cells[0]), "%s", a->name);
	snprintf(cells[OTHER], sizeof(cells[0]), "%s", b->name);
	number(cells[BEST1], sizeof(cells[0]), best1, 0);
	number(cells[BEST2], sizeof(cells[0]), best2, 0);
	number(cells[MEDIAN1], sizeof(cells[0]), median(ours->rate, plan->rounds), 0);
	number(cells[MEDIAN2], sizeof(cells[0]), median(other->rate, plan->rounds), 0);
	number(cells[RATIO_BEST], sizeof(cells[0]), best2 > 0 ? best1 / best2 : NAN, 2);
	number(cells[RATIO], sizeof(cells[0]), ratio, 2);
	if (goal > 0)
		snprintf(cells[GOAL], sizeof(cells[0]), "%.2f %s", goal, ratio >= goal ? "ok" : "short");
	number(cells[CPU1], sizeof(cells[0]), median(ours->cpu, plan->rounds), 2);
	number(cells[CPU2], sizeof(cells[0]), median(other->cpu, plan->rounds), 2);
	number(cells[CPU_RATIO], sizeof(cells[0]), cpu_ratio, 2);
	if (cmp->cpu_goal > 0)
		snprintf(cells[CPU_GOAL], sizeof(cells[0]), "%.2f %s", cmp->cpu_goal,
			 cpu_ratio <= cmp->cpu_goal ? "ok" : "over");
	number(cells[WAKES], sizeof(cells[0]), ours->wakes, 0);
	number(cells[CALLS], sizeof(cells[0]), ours->calls, 0);
	print_row(plan, file, markdown, cells);
}

static void print_machine(FILE *file)
{
	char line[256], model[256] = "unknown CPU", date[32];
	struct utsname name;
	time_t t = time(NULL);
	FILE *f = fopen("/proc/cpuinfo", "re");
	int cpus = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "model name", 10) != 0)
			continue;
		cpus++;
		sscanf(line, "model name : %255[^\n]", model);
	}
	if (f)
		fclose(f);
	uname(&name);
	strftime(date, sizeof(date), "%Y-%m-%d", localtime(&t));
	fprintf(file, "%s, %s %s, %d x %s\n\n", date, name.sysname, name.release, cpus, model);
}

void table_print(const struct plan *plan, const struct bench_case *cases, int count, FILE *file, bool markdown)
{
	if (markdown)
		fputs("# spfs: throughput\n\n", file);
	print_machine(file);
	print_titles(plan, file, markdown);
	for (int i = 0; i < count; i++)
		for (int k = 0; k < plan->comparison_count; k++)
			compare(plan, &cases[i], &plan->comparisons[k], file, markdown);
	fprintf(file,
		"\nMiB/s of the one writer, %d rounds, contenders in turns within each round; x is spfs divided by the\n"
		"other: of the bests, and the median of the ratios of each round. cpu: seconds per GiB of the processes in\n"
		"the middle, of spfs and of the other. wakes: how often the daemon was woken per GiB.%s\n"
		"Rates of different rows were taken at different times: compare within a row only.\n",
		plan->rounds, plan->calls ? "\ncalls: its system calls per GiB, counted in a run apart." : "");
	if (plan->ports)
		fputs("File > TCP: from the first byte received to the end of the file, by a receiver that never sleeps; cold:\n"
		      "it was not in the page cache.\n"
		      "TCP > files: until the last file has its size. The sync at the end of a sink of spfs comes afterwards, and\n"
		      "is in neither number.\n",
		      file);
}
