/*
 * spfs top: a live table of channels. One thread: it waits for a key, a signal or the next refresh. Signals come in
 * only while it waits, so that the terminal is always given back.
 */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "top-batch.h"
#include "top-keys.h"
#include "top-model.h"
#include "top-screen.h"

struct arguments {
	struct top_model model;
	struct top_screen screen;
	bool batch;
	unsigned long count; /* refreshes; 0: without end */
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	stopped = number;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;

	switch (key) {
	case 'b':
		a->batch = true;
		return 0;
	case 'd':
		if (!top_delay_parse(arg, &a->screen.delay))
			argp_error(state, "--delay=%s: 0.1 to 3600 seconds", arg);
		return 0;
	case 'n':
		a->count = strtoul(arg, &end, 10);
		if (end == arg || *end || a->count < 1 || a->count > 1000000000 || *arg == '-')
			argp_error(state, "--count=%s: how many tables, at least 1", arg);
		return 0;
	case ARGP_KEY_ARGS:
		a->model.folders = state->argv + state->next;
		a->model.count = state->argc - state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- waiting ---- */

/* The signals that end the program, and those of the terminal, come in only with @wait in force. */
static void block_signals(sigset_t *wait)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaction(ends[i], &action, NULL);
		sigaddset(&set, ends[i]);
	}
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, wait);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigdelset(wait, ends[i]);
	sigdelset(wait, SIGWINCH);
}

/*
 * Waits until @end, or for a signal, or for a key where @keys; a key is left unread. Returns false where there are
 * no keys to come.
 */
static bool wait_until(double end, bool keys, const sigset_t *signals)
{
	struct pollfd p = { .fd = keys ? STDIN_FILENO : -1, .events = POLLIN };
	double left = end - clock_now();
	struct timespec ts = { 0 };

	if (left > 0) {
		ts.tv_sec = (time_t)left;
		ts.tv_nsec = (long)((left - (double)ts.tv_sec) * 1e9);
	}
	return ppoll(&p, 1, &ts, signals) <= 0 || !(p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* ---- the loops ---- */

static int run_screen(struct arguments *a, const sigset_t *signals)
{
	int err = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || top_screen_start() < 0) {
		fprintf(stderr, "spfs top: this is no terminal to draw on: use -b\n");
		return EINVAL;
	}
	for (unsigned long i = 1; !stopped; i++) {
		double end = a->model.at + a->screen.delay;

		top_screen_find(&a->screen, &a->model);
		if (a->screen.page == TOP_DETAILS)
			top_keys_details(&a->screen, &a->model);
		do {
			top_screen_draw(&a->screen, &a->model);
			if (!wait_until(a->screen.paused ? clock_now() + TOP_DELAY_MAX : end, true, signals) ||
			    !top_keys_take(&a->screen, &a->model))
				stopped = SIGQUIT;
			if (a->screen.delay < end - a->model.at)
				end = a->model.at + a->screen.delay;
		} while (!stopped && (a->screen.paused || clock_now() < end));
		if (stopped || (a->count && i >= a->count))
			break;
		err = top_model_refresh(&a->model);
		if (err)
			break;
	}
	top_screen_end();
	return err;
}

static int run_batch(struct arguments *a, const sigset_t *signals)
{
	int err = 0;

	for (unsigned long i = 0; !err && !stopped && (!a->count || i < a->count); i++) {
		double end = a->model.at + a->screen.delay;

		while (!stopped && clock_now() < end)
			wait_until(end, false, signals);
		if (stopped)
			break;
		err = top_model_refresh(&a->model);
		if (!err)
			err = top_batch_print(&a->model);
		if (!err && fflush(stdout) == EOF)
			err = errno;
	}
	return err;
}

static int run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "batch", 'b', NULL, 0, "print tables, without a screen and keys", 0 },
		{ "count", 'n', "N", 0, "end after so many tables", 0 },
		{ "delay", 'd', "SECONDS", 0, "time between two (default 1)", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[MOUNT|FOLDER|CHANNEL...]",
		.doc = "Show channels with their taps, sources and sinks, live: bytes a second, how full, lost, and who has "
		       "them open. F1 or h tells the keys.\vWithout an argument: every mount.",
	};
	struct arguments a = { .screen.delay = 1 };
	sigset_t signals;
	int err;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	block_signals(&signals);
	err = top_model_refresh(&a.model);
	if (!err && a.model.missing && a.model.count) {
		fprintf(stderr, "%s: %s\n", argv[0], a.model.note);
		err = ENOENT;
	} else {
		if (!err)
			err = a.batch ? run_batch(&a, &signals) : run_screen(&a, &signals);
		if (err == ENOMEM)
			fprintf(stderr, "%s: %s\n", argv[0], strerror(err));
	}
	top_model_free(&a.model);
	top_page_free(&a.screen.lines);
	free(a.screen.chosen);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_top = { "top", "watch channels live, with rates and fill", run };
