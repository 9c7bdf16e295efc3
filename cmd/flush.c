/* spfs flush: what waits goes. */
#include <stdlib.h>

#include "argument.h"
#include "command.h"
#include "target.h"

static error_t flush_parse(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "what?");
	return argument_list_parse(key, arg, state);
}

static bool flush_one(const char *name)
{
	struct target t;
	json_t *answer;

	if (target_open(&t, name, TARGET_CHANNEL) < 0)
		return false;
	answer = target_ask(&t, target_request(&t, "flush"), -1);
	json_decref(answer);
	target_close(&t);
	return answer;
}

static int flush_run(int argc, char *argv[])
{
	static const struct argp argp = {
		.parser = flush_parse,
		.args_doc = "NAME...",
		.doc = "Drop what waits in a tap, or, for a channel's first name, what it replays to new taps.\vWhat was "
		       "written before goes, in the tap's ring too, and is counted as lost; of what its reader has taken "
		       "already nothing comes back.",
	};
	struct argument_list a = { 0 };
	bool well = true;

	argument_parse(&argp, argc, argv, &a);
	for (int i = 0; i < a.count; i++)
		well &= flush_one(a.names[i]);
	return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_flush = { "flush", "drop what waits in a tap, or for new taps", flush_run };
