#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "output.h"
#include "size.h"

/* The share of the newest rate in the one that is shown. */
#define PROGRESS_SMOOTH 0.3

#define PROGRESS_LINE 512
#define PROGRESS_BAR_MAX 40

static double progress_number(const json_t *port, const char *key)
{
	return json_number_value(json_object_get(port, key));
}

static double progress_seconds(uint64_t nsec)
{
	return (double)nsec / NSEC_PER_SEC;
}

static size_t progress_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		return 79;
	/* Not the last one: some terminals would begin a new line. */
	return (size_t)size.ws_col - 1 < PROGRESS_LINE ? (size_t)size.ws_col - 1 : PROGRESS_LINE - 1;
}

static const char *progress_duration(char text[32], double seconds)
{
	unsigned long s = seconds < 0 ? 0 : seconds > 359999 ? 359999 : (unsigned long)(seconds + 0.5);

	if (s >= 3600)
		snprintf(text, 32, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(text, 32, "%lu:%02lu", s / 60, s % 60);
	return text;
}

void progress_start(struct progress *p, const char *what)
{
	*p = (struct progress){ .what = what, .terminal = isatty(STDERR_FILENO), .rate = -1 };
	p->start = p->at = clock_nsec();
}

static void progress_measure(struct progress *p, double bytes)
{
	uint64_t at = clock_nsec();
	double rate = at > p->at ? (bytes - p->bytes) / progress_seconds(at - p->at) : 0;

	p->rate = p->rate < 0 ? rate : p->rate + PROGRESS_SMOOTH * (rate - p->rate);
	p->at = at;
	p->bytes = bytes;
}

/* "[####......]", in @width columns. */
static void progress_bar(char *text, size_t width, double part)
{
	size_t full = (size_t)((double)(width - 2) * part);

	text[0] = '[';
	for (size_t i = 0; i < width - 2; i++)
		text[i + 1] = i < full ? '#' : '.';
	strcpy(text + width - 1, "]");
}

void progress_draw(struct progress *p, const json_t *port)
{
	const char *state = json_string_value(json_object_get(port, "state"));
	double bytes = progress_number(port, "bytes"), total = progress_number(port, "total");
	char moved[SIZE_TEXT_MAX], all[SIZE_TEXT_MAX], rate[SIZE_TEXT_MAX], time[32];
	char line[PROGRESS_LINE], text[PROGRESS_LINE] = "";
	double part = bytes >= total ? 1 : bytes / total; /* where the total is known */
	size_t width = progress_columns();
	size_t room;

	if (!p->terminal)
		return;
	progress_measure(p, bytes);
	size_print_round(moved, bytes);
	size_print_round(rate, p->rate);
	if (total > 0)
		snprintf(line, sizeof(line), " %3.0f%%  %s of %s  %s/s  ETA %s", part * 100, moved,
			 size_print_round(all, total), rate,
			 p->rate > 0 ? progress_duration(time, (total - bytes) / p->rate) : "-");
	else
		snprintf(line, sizeof(line), "%s  %s/s  %s", moved, rate,
			 progress_duration(time, progress_seconds(p->at - p->start)));
	if (state && strcmp(state, "running"))
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "  %s", state);
	room = width > strlen(line) ? width - strlen(line) : 0;
	if (total > 0 && room >= 4)
		progress_bar(text, room < PROGRESS_BAR_MAX ? room : PROGRESS_BAR_MAX, part);
	fprintf(stderr, "\r%s%.*s\033[K", text, (int)width, line);
}

void progress_end(struct progress *p, const json_t *port, bool done)
{
	double bytes = progress_number(port, "bytes"), seconds = progress_seconds(clock_nsec() - p->start);
	char moved[SIZE_TEXT_MAX], rate[SIZE_TEXT_MAX];

	if (p->terminal)
		fputs("\r\033[K", stderr);
	if (done)
		output_line(stderr, "%s: %s in %.1f s, %s/s", p->what, size_print_round(moved, bytes), seconds,
			    size_print_round(rate, seconds > 0 ? bytes / seconds : 0));
}
