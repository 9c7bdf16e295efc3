/* spfs tee: gives a channel one more name, which reads its full copy. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "argument.h"
#include "command.h"
#include "complaint.h"
#include "place.h"

struct tee_arguments {
	const char *channel;
	const char *name;
	bool each;
};

enum { TEE_EACH = 0x100 };

static error_t tee_parse(int key, char *arg, struct argp_state *state)
{
	struct tee_arguments *a = state->input;

	switch (key) {
	case TEE_EACH:
		a->each = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			a->channel = arg;
		else if (state->arg_num == 1)
			a->name = arg;
		else
			argp_usage(state);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char *tee_reason(int err)
{
	switch (err) {
	case -EDQUOT:
		return "beyond the quota, see 'spfs quota'";
	case -EACCES:
		return "no right to write this name or the folder (the channel's owner may use ln)";
	case -EEXIST:
		return "the tap's name exists already";
	case -EINVAL:
		return "not a name inside the mount";
	default:
		return place_reason(err);
	}
}

static int tee_run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "each", TEE_EACH, NULL, 0, "Make NAME a broadcast name: each who opens it has a tap of his own", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = tee_parse,
		.args_doc = "CHANNEL NAME",
		.doc = "Make NAME a tap of CHANNEL: a name that reads the whole stream from now on, like "
		       "ln(1).\vNAME is relative to the channel's folder, or absolute inside the mount. Remove "
		       "a tap with rm(1).",
	};
	struct tee_arguments a = { 0 };
	char what[PATH_MAX + NAME_MAX + 2];
	const char *why;

	argument_parse(&argp, argc, argv, &a);
	if (setxattr(a.channel, a.each ? "spfs.each" : "spfs.tee", a.name, strlen(a.name), 0) == 0)
		return EXIT_SUCCESS;
	why = tee_reason(-errno);
	snprintf(what, sizeof(what), "%s %s", a.channel, a.name);
	return complaint_print(what, why);
}

const struct command command_tee = { "tee", "make a tap of a channel", tee_run };
