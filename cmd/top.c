/*
 * spfs top: a live table of channels. One thread: it waits for a key, a signal or the next refresh. Signals come in
 * only while it waits, so that the terminal is always given back.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argument.h"
#include "clock.h"
#include "command.h"
#include "complaint.h"
#include "top-batch.h"
#include "top-keys.h"
#include "top-model.h"
#include "top-screen.h"

struct top_arguments {
	struct top_model model;
	struct top_screen screen;
	bool batch;
	unsigned long count; /* refreshes; 0: without end */
};

static volatile sig_atomic_t top_stopped;

static void top_take_signal(int number)
{
	top_stopped = number;
}

static error_t top_parse(int key, char *arg, struct argp_state *state)
{
	struct top_arguments *a = state->input;

	switch (key) {
	case 'b':
		a->batch = true;
		return 0;
	case 'd':
		a->screen.delay = argument_seconds(state, "--delay", arg, TOP_DELAY_MIN, TOP_DELAY_MAX);
		return 0;
	case 'n':
		a->count = argument_count(state, "--count", arg, "tables");
		return 0;
	case ARGP_KEY_ARGS:
		a->model.names = state->argv + state->next;
		a->model.count = state->argc - state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- waiting ---- */

/* The signals that end the program, and those of the terminal, come in only with @wait in force. */
static void top_block_signals(sigset_t *wait)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = top_take_signal };
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
static bool top_wait(uint64_t end, bool keys, const sigset_t *signals)
{
	struct pollfd p = { .fd = keys ? STDIN_FILENO : -1, .events = POLLIN };
	uint64_t now = clock_nsec(), left = end > now ? end - now : 0;
	struct timespec ts = { .tv_sec = (time_t)(left / NSEC_PER_SEC), .tv_nsec = (long)(left % NSEC_PER_SEC) };

	return ppoll(&p, 1, &ts, signals) <= 0 || !(p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* ---- the loops ---- */

/* When the next refresh is due. */
static uint64_t top_next(const struct top_arguments *a)
{
	return a->model.at + (uint64_t)(a->screen.delay * NSEC_PER_SEC);
}

/* Returns 0 or a negative errno. */
static int top_run_screen(struct top_arguments *a, const sigset_t *signals)
{
	int err = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || top_screen_start() < 0) {
		complaint_print("screen", "this is no terminal to draw on: use -b");
		return -EINVAL;
	}
	for (unsigned long i = 1; !top_stopped; i++) {
		uint64_t end = top_next(a);

		top_screen_find(&a->screen, &a->model);
		if (a->screen.page == TOP_DETAILS)
			top_keys_details(&a->screen, &a->model);
		do {
			uint64_t until = a->screen.paused ? clock_nsec() + TOP_DELAY_MAX * NSEC_PER_SEC : end;

			top_screen_draw(&a->screen, &a->model);
			if (!top_wait(until, true, signals) || !top_keys_take(&a->screen, &a->model))
				top_stopped = SIGQUIT;
			if (top_next(a) < end)
				end = top_next(a);
		} while (!top_stopped && (a->screen.paused || clock_nsec() < end));
		if (top_stopped || (a->count && i >= a->count))
			break;
		err = top_model_refresh(&a->model);
		if (err)
			break;
	}
	top_screen_end();
	return err;
}

/* Returns 0 or a negative errno. */
static int top_run_batch(struct top_arguments *a, const sigset_t *signals)
{
	int err = 0;

	for (unsigned long i = 0; !err && !top_stopped && (!a->count || i < a->count); i++) {
		uint64_t end = top_next(a);

		while (!top_stopped && clock_nsec() < end)
			top_wait(end, false, signals);
		if (top_stopped)
			break;
		err = top_model_refresh(&a->model);
		if (!err)
			err = top_batch_print(&a->model);
		if (!err && fflush(stdout) == EOF)
			err = -errno;
	}
	return err;
}

/* Complains where what was named cannot be looked at, or there is no mount that can. */
static bool top_has_nothing(const struct top_model *m)
{
	bool none = false;

	if (m->missing && (m->count || !m->samples.mounts)) {
		fprintf(stderr, "%s: %s\n", program_invocation_name, m->note); /* a whole complaint already */
		return true;
	}
	samples_complain_of_none(&none, &m->samples, m->count);
	return none;
}

static int top_run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "batch", 'b', NULL, 0, "print tables, without a screen and keys", 0 },
		{ "count", 'n', "N", 0, "end after so many tables", 0 },
		{ "delay", 'd', "SECONDS", 0, "time between two (default 1)", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = top_parse,
		.args_doc = "[MOUNT|FOLDER|CHANNEL...]",
		.doc = "Show channels with their taps, sources and sinks, live: bytes a second, how full, lost, and "
		       "who has them open. F1 or h tells the keys.\vWithout an argument: every mount. Only channels that "
		       "you may read or write are shown.",
	};
	struct top_arguments a = { .screen.delay = 1 };
	sigset_t signals;
	int err;

	argument_parse(&argp, argc, argv, &a);
	top_block_signals(&signals);
	err = top_model_refresh(&a.model);
	if (!err && top_has_nothing(&a.model)) {
		err = -ENOENT;
	} else {
		if (!err)
			err = a.batch ? top_run_batch(&a, &signals) : top_run_screen(&a, &signals);
		if (err == -ENOMEM)
			complaint_print_errno("channels", err);
	}
	top_model_free(&a.model);
	top_page_free(&a.screen.lines);
	free(a.screen.chosen);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_top = { "top", "watch channels live, with rates and fill", top_run };
