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
#include "output.h"
#include "place.h"
#include "target.h"

struct tee_arguments {
	const char *channel;
	const char *name;
	bool each;
	json_t *settings; /* of the tap; NULL: none are given */
};

enum { TEE_EACH = 0x100 };

static void tee_parse_setting(struct tee_arguments *a, char *arg, const struct argp_state *state)
{
	char *equals = strchr(arg, '=');

	if (!equals || equals == arg)
		argp_error(state, "%s: not KEY=VALUE", arg);
	*equals = '\0';
	if (!a->settings)
		a->settings = json_object();
	if (json_object_get(a->settings, arg))
		argp_error(state, "%s: twice", arg);
	if (json_object_set_new(a->settings, arg, json_string(equals + 1)) < 0)
		argp_error(state, "%s: not text", arg);
}

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
			tee_parse_setting(a, arg, state);
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

/*
 * With settings the control socket is asked, which says why one is refused; and for names that the attribute would take
 * for such.
 */
static int tee_ask(const struct tee_arguments *a)
{
	json_t *request, *answer;
	struct target t;

	if (target_open(&t, a->channel, TARGET_CHANNEL) < 0)
		return EXIT_FAILURE;
	request = target_request(&t, "tee");
	json_object_set_new(request, "name", output_string(a->name));
	json_object_set_new(request, "each", json_boolean(a->each));
	if (a->settings)
		json_object_set(request, "settings", a->settings);
	answer = target_ask(&t, request, -1);
	json_decref(answer);
	target_close(&t);
	return answer ? EXIT_SUCCESS : EXIT_FAILURE;
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
		.args_doc = "CHANNEL NAME [KEY=VALUE...]",
		.doc = "Make NAME a tap of CHANNEL: a name that reads the whole stream from now on, like "
		       "ln(1), with these settings from its beginning on.\vNAME is relative to the channel's folder, or "
		       "absolute inside the mount. Settings are those of 'spfs set'. Remove a tap with rm(1).",
	};
	struct tee_arguments a = { 0 };
	char what[PATH_MAX + NAME_MAX + 2];
	const char *why;

	argument_parse(&argp, argc, argv, &a);
	if (a.settings || strchr(a.name, '=')) {
		int status = tee_ask(&a);

		json_decref(a.settings);
		return status;
	}
	if (setxattr(a.channel, a.each ? "spfs.each" : "spfs.tee", a.name, strlen(a.name), 0) == 0)
		return EXIT_SUCCESS;
	why = tee_reason(-errno);
	snprintf(what, sizeof(what), "%s %s", a.channel, a.name);
	return complaint_print(what, why);
}

const struct command command_tee = { "tee", "make a tap of a channel", tee_run };
