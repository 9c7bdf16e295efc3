/* spfs watch: what happens to a channel, one line of JSON each. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argument.h"
#include "clock.h"
#include "command.h"
#include "complaint.h"
#include "control.h"
#include "output.h"
#include "target.h"

#define WATCH_TIMEOUT_MIN 0.001 /* seconds */
#define WATCH_TIMEOUT_MAX 1000000

struct watch_arguments {
	double timeout;      /* seconds; 0: none */
	unsigned long count; /* of events; 0: no end */
	const char *channel;
};

static error_t watch_parse(int key, char *arg, struct argp_state *state)
{
	struct watch_arguments *a = state->input;

	switch (key) {
	case 't':
		a->timeout = argument_seconds(state, "--timeout", arg, WATCH_TIMEOUT_MIN, WATCH_TIMEOUT_MAX);
		return 0;
	case 'n':
		a->count = argument_count(state, "--count", arg, "events");
		return 0;
	case ARGP_KEY_ARG:
		if (a->channel)
			argp_usage(state);
		a->channel = arg;
		return 0;
	case ARGP_KEY_END:
		if (!a->channel)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Returns 0 once there is something to read, or a negative errno: -ETIMEDOUT at @end, which is never if it is 0. */
static int watch_wait(int fd, uint64_t end)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now = clock_nsec(), left = end > now ? end - now : 0;
	int n = poll(&p, 1, !end ? -1 : left ? (int)(left / 1000000) + 1 : 0);

	return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

/* Prints events from @fd until they are over. Returns 0 or a negative errno. */
static int watch_follow(int fd, const struct watch_arguments *a)
{
	uint64_t end = a->timeout > 0 ? clock_nsec() + (uint64_t)(a->timeout * NSEC_PER_SEC) : 0;

	for (unsigned long i = 0; !a->count || i < a->count;) {
		int err = watch_wait(fd, end);
		json_t *event = NULL;
		const char *kind;
		bool last;

		if (err == 0)
			err = control_next(fd, &event);
		if (err < 0)
			return err == -ETIMEDOUT ? 0 : err;
		kind = json_string_value(json_object_get(event, "event"));
		last = kind && !strcmp(kind, "gone");
		i += kind && strcmp(kind, "state"); /* which is there, and has not happened */
		output_json(event, JSON_COMPACT);
		json_decref(event);
		if (fflush(stdout) == EOF)
			return -errno;
		if (last)
			break;
	}
	return 0;
}

static int watch_run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "timeout", 't', "SECONDS", 0, "end after this time", 0 },
		{ "count", 'n', "N", 0, "end after so many events", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = watch_parse,
		.args_doc = "CHANNEL",
		.doc = "Tell what a channel is at, as the first line, and then what happens to it, one line of JSON "
		       "each: streams and readers that come and go, taps and sinks that are full, what is dropped, and "
		       "its sources and sinks.\vEnds with the channel.",
	};
	struct watch_arguments a = { 0 };
	int err = -1;
	json_t *answer;
	struct target t;

	argument_parse(&argp, argc, argv, &a);
	if (target_open(&t, a.channel, TARGET_CHANNEL) < 0)
		return EXIT_FAILURE;
	answer = target_ask(&t, target_request(&t, "watch"), -1);
	if (answer) {
		err = watch_follow(t.control, &a);
		if (err < 0)
			complaint_print(a.channel, control_reason(err));
	}
	json_decref(answer);
	target_close(&t);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_watch = { "watch", "tell what happens to a channel", watch_run };
