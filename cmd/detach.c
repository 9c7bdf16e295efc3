/* spfs detach: ends a source or sink of a channel. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "control.h"
#include "place.h"

struct arguments {
	const char *channel;
	long id;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num == 0) {
			a->channel = arg;
			return 0;
		}
		a->id = strtol(arg, &end, 10);
		if (end == arg || *end || a->id < 1 || a->id > UINT_MAX || state->arg_num > 1)
			argp_error(state, "%s: a port's number, as 'spfs ports' shows", arg);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char *argv[])
{
	static const struct argp argp = {
		.parser = parse,
		.args_doc = "CHANNEL ID",
		.doc = "End the source or sink ID of CHANNEL, and take it off the list.\vWhat a sink has not moved stays "
		       "in the channel, for the next reader.",
	};
	struct arguments a = { 0 };
	struct place place;
	const char *why;
	json_t *answer;
	int err;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	err = place_of(&place, a.channel);
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], a.channel, place_reason(err));
		return EXIT_FAILURE;
	}
	answer = control_once(place.root, json_pack("{ss ss sI}", "op", "detach", "channel", place_inside(&place), "id",
						    (json_int_t)a.id), &why);
	if (why)
		fprintf(stderr, "%s: %s %ld: %s\n", argv[0], a.channel, a.id, why);
	json_decref(answer);
	return why ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_detach = { "detach", "end a source or sink", run };
