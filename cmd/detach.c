/* spfs detach: ends a source or sink of a channel. */
#include <stdio.h>
#include <stdlib.h>

#include "argument.h"
#include "command.h"
#include "target.h"

struct detach_arguments {
	const char *channel;
	long id;
};

static error_t detach_parse(int key, char *arg, struct argp_state *state)
{
	struct detach_arguments *a = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num == 0) {
			a->channel = arg;
			return 0;
		}
		a->id = argument_port(state, arg);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int detach_run(int argc, char *argv[])
{
	static const struct argp argp = {
		.parser = detach_parse,
		.args_doc = "CHANNEL ID",
		.doc = "End the source or sink ID of CHANNEL, and take it off the list.\vWhat a sink has not moved "
		       "stays in the channel, for the next reader.",
	};
	struct detach_arguments a = { 0 };
	char what[PATH_MAX + 32];
	json_t *request, *answer;
	struct target t;

	argument_parse(&argp, argc, argv, &a);
	if (target_open(&t, a.channel, TARGET_CHANNEL) < 0)
		return EXIT_FAILURE;
	snprintf(what, sizeof(what), "%s %ld", a.channel, a.id);
	t.what = what;
	request = target_request(&t, "detach");
	json_object_set_new(request, "id", json_integer(a.id));
	answer = target_ask(&t, request, -1);
	json_decref(answer);
	target_close(&t);
	return answer ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_detach = { "detach", "end a source or sink", detach_run };
