/* spfs reload: has the daemon read its configuration again. */
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "control.h"
#include "place.h"

static error_t parse(int key, char *arg, struct argp_state *state)
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

static void print(FILE *to, const char *before, const json_t *lines)
{
	for (size_t i = 0; i < json_array_size(lines); i++)
		fprintf(to, "%s%s\n", before, json_string_value(json_array_get(lines, i)));
}

static int run(int argc, char *argv[])
{
	static const struct argp argp = {
		.parser = parse,
		.args_doc = "MOUNTPOINT",
		.doc = "Have the daemon of MOUNTPOINT read its configuration again.\vPrints what has changed, and what "
		       "cannot change before the next mount. A file with mistakes changes nothing: they are printed.",
	};
	const char *mount = NULL, *why;
	struct place place;
	json_t *answer;
	int err, fd;

	if (argp_parse(&argp, argc, argv, 0, NULL, &mount))
		return EXIT_FAILURE;
	err = place_of(&place, mount);
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], mount, place_reason(err));
		return EXIT_FAILURE;
	}
	fd = control_connect(place.root);
	answer = fd < 0 ? NULL : control_ask(fd, json_pack("{ss}", "op", "reload"), -1);
	why = answer ? control_error(answer) : fd < 0 ? control_no_mount(-fd) : control_reason(errno);
	if (why)
		fprintf(stderr, "%s: %s: %s\n", argv[0], mount, why);
	print(stderr, "", json_object_get(answer, "mistakes"));
	print(stdout, "", json_object_get(answer, "applied"));
	print(stderr, "not changed: ", json_object_get(answer, "not"));
	if (!why && !json_array_size(json_object_get(answer, "applied")))
		puts("nothing has changed");
	json_decref(answer);
	if (fd >= 0)
		close(fd);
	return why ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_reload = { "reload", "have the configuration read again", run };
