/* spfs reload: has the daemon read its configuration again. */
#include <stdio.h>
#include <stdlib.h>

#include "argument.h"
#include "command.h"
#include "complaint.h"
#include "control.h"
#include "output.h"
#include "target.h"

static error_t reload_parse(int key, char *arg, struct argp_state *state)
{
	const char **mount = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_usage(state);
		*mount = arg;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 1)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void reload_print(FILE *to, const char *before, const json_t *lines)
{
	for (size_t i = 0; i < json_array_size(lines); i++)
		output_line(to, "%s%s", before, json_string_value(json_array_get(lines, i)));
}

static int reload_run(int argc, char *argv[])
{
	static const struct argp argp = {
		.parser = reload_parse,
		.args_doc = "MOUNTPOINT",
		.doc = "Have the daemon of MOUNTPOINT read its configuration again.\vPrints what has changed, and what "
		       "cannot change before the next mount. A file with mistakes changes nothing: they are printed.",
	};
	const char *mount = NULL, *why;
	json_t *answer;
	struct target t;
	int err;

	argument_parse(&argp, argc, argv, &mount);
	if (target_open(&t, mount, TARGET_MOUNT) < 0)
		return EXIT_FAILURE;
	/* Not target_ask(): a refusal lists the mistakes. */
	err = control_ask(t.control, json_pack("{ss}", "op", "reload"), -1, &answer);
	target_close(&t);
	why = err < 0 ? control_reason(err) : control_error(answer);
	if (why)
		complaint_print(mount, why);
	reload_print(stderr, "", json_object_get(answer, "mistakes"));
	reload_print(stdout, "", json_object_get(answer, "applied"));
	reload_print(stderr, "not changed: ", json_object_get(answer, "not"));
	if (!why && !json_array_size(json_object_get(answer, "applied")))
		puts("nothing has changed");
	json_decref(answer);
	return why ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_reload = { "reload", "have the configuration read again", reload_run };
