/* spfs watch: what happens to a channel, one line of JSON each. */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "control.h"
#include "place.h"

#define TIMEOUT_MAX 1000000

struct arguments {
	double timeout;      /* seconds; 0: none */
	unsigned long count; /* of events; 0: no end */
	const char *channel;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;

	switch (key) {
	case 't':
		a->timeout = strtod(arg, &end);
		if (end == arg || *end || !(a->timeout > 0 && a->timeout <= TIMEOUT_MAX))
			argp_error(state, "--timeout=%s: seconds, up to %d", arg, TIMEOUT_MAX);
		return 0;
	case 'n':
		a->count = strtoul(arg, &end, 10);
		if (end == arg || *end || a->count < 1 || *arg == '-')
			argp_error(state, "--count=%s: how many events, at least 1", arg);
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

/* Returns 0 once there is something to read, or a positive errno. */
static int wait_for(int fd, double end)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double left = end ? end - clock_now() : 0;
	int n = poll(&p, 1, end ? left > 0 ? (int)(left * 1000) + 1 : 0 : -1);

	return n > 0 ? 0 : n == 0 ? ETIMEDOUT : errno;
}

/* Prints events from @fd. Returns 0, or why it ended with @error. */
static int follow(int fd, const struct arguments *a)
{
	double end = a->timeout ? clock_now() + a->timeout : 0;

	for (unsigned long i = 0; !a->count || i < a->count;) {
		int err = wait_for(fd, end);
		json_t *event = err ? NULL : control_next(fd);
		const char *kind = json_string_value(json_object_get(event, "event"));
		bool last = kind && !strcmp(kind, "gone");

		if (!event)
			return err == ETIMEDOUT ? 0 : err ? err : errno;
		i++;
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(event);
		if (fflush(stdout) == EOF)
			return errno;
		if (last)
			break;
	}
	return 0;
}

static int run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "timeout", 't', "SECONDS", 0, "end after this time", 0 },
		{ "count", 'n', "N", 0, "end after so many events", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "CHANNEL",
		.doc = "Tell what happens to a channel, one line of JSON each: streams and readers that come and go, taps that "
		       "are full, what is dropped, and its sources and sinks.\vEnds with the channel.",
	};
	struct arguments a = { 0 };
	struct place place;
	json_t *answer = NULL;
	const char *why = NULL;
	int fd, err;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	err = place_of(&place, a.channel);
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], a.channel, place_reason(err));
		return EXIT_FAILURE;
	}
	fd = control_connect(place.root);
	if (fd >= 0)
		answer = control_ask(fd, json_pack("{ss ss}", "op", "watch", "channel", place_inside(&place)), -1);
	if (!answer)
		why = control_reason(fd < 0 ? -fd : errno);
	else
		why = control_error(answer);
	if (!why) {
		err = follow(fd, &a);
		why = err ? control_reason(err) : NULL;
	}
	if (why)
		fprintf(stderr, "%s: %s: %s\n", argv[0], a.channel, why);
	json_decref(answer);
	if (fd >= 0)
		close(fd);
	return why ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_watch = { "watch", "tell what happens to a channel", run };
