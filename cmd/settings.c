/* spfs set, spfs get: the settings of a channel, a tap or a mount. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "control.h"
#include "place.h"
#include "shown.h"
#include "table.h"

/*
 * Asks the daemon of @path; @op and @settings (taken, or NULL) are the rest. Complains and returns NULL where it fails.
 */
static json_t *ask(const char *who, const char *path, const char *op, json_t *settings)
{
	json_t *answer;
	struct place place;
	const char *why;
	int err;

	err = place_of(&place, path);
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", who, path, place_reason(err));
		json_decref(settings);
		return NULL;
	}
	answer = control_once(place.root, json_pack("{ss ss so*}", "op", op, "channel", *place_inside(&place) ?
						    place_inside(&place) : "/", "settings", settings), &why);
	if (!why)
		return answer;
	fprintf(stderr, "%s: %s: %s\n", who, path, why);
	json_decref(answer);
	return NULL;
}

/* ---- set ---- */

struct assignments {
	const char *channel;
	json_t *settings;
};

static error_t parse_set(int key, char *arg, struct argp_state *state)
{
	struct assignments *a = state->input;
	char *equals;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num == 0) {
			a->channel = arg;
			return 0;
		}
		equals = strchr(arg, '=');
		if (!equals || equals == arg)
			argp_error(state, "%s: not KEY=VALUE", arg);
		*equals = '\0';
		if (json_object_set_new(a->settings, arg, json_string(equals + 1)) < 0)
			argp_error(state, "%s: not text", arg);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run_set(int argc, char *argv[])
{
	static const struct argp argp = {
		.parser = parse_set,
		.args_doc = "CHANNEL KEY=VALUE...",
		.doc = "Change settings of a channel, of a tap, or of a mount by its folder.\v"
		       "channel: size, replay, eof, packets, stable, rate\n"
		       "tap:     size, depth, policy, idle, rate\n"
		       "mount:   quota\n"
		       "Sizes take K, M, G and T. spfsd(8) says what each means.",
	};
	struct assignments a = { .settings = json_object() };
	json_t *answer;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	answer = ask(argv[0], a.channel, "set", a.settings);
	json_decref(answer);
	return answer ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- get ---- */

enum { KEY, VALUE };

static const struct column columns[] = { [KEY] = { "KEY", 0 }, [VALUE] = { "VALUE", SCOLS_FL_RIGHT } };

static int print_table(json_t *settings)
{
	struct libscols_table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const char *key;
	json_t *value;

	if (!table)
		return ENOMEM;
	json_object_foreach(settings, key, value) {
		struct libscols_line *line = table_line(table, NULL);

		if (!line)
			break;
		table_text(line, KEY, "%s", key);
		if (json_is_string(value))
			table_text(line, VALUE, "%s", json_string_value(value));
		else
			table_size(line, VALUE, settings, key);
	}
	scols_print_table(table);
	scols_unref_table(table);
	return 0;
}

/* Leaves those that were asked for: @keys. Returns the first that is not there, or NULL. */
static const char *choose(json_t *settings, char **keys, int count)
{
	json_t *chosen = json_object();
	const char *missing = NULL;

	for (int i = 0; i < count; i++) {
		json_t *value = json_object_get(settings, keys[i]);

		if (!value && !missing)
			missing = keys[i];
		if (value)
			json_object_set(chosen, keys[i], value);
	}
	json_object_clear(settings);
	json_object_update(settings, chosen);
	json_decref(chosen);
	return missing;
}

static int run_get(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "JSON: an object, with exact numbers", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = shown_parse,
		.args_doc = "CHANNEL [KEY...]",
		.doc = "Show the settings of a channel, of a tap, or of a mount by its folder.",
	};
	const char *missing = NULL;
	struct shown a = { 0 };
	json_t *answer, *settings;
	int err = 0;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	if (!a.count) {
		fprintf(stderr, "%s: of which channel?\n", argv[0]);
		return EXIT_FAILURE;
	}
	answer = ask(argv[0], a.channels[0], "get", NULL);
	if (!answer)
		return EXIT_FAILURE;
	settings = json_object_get(answer, "settings");
	if (a.count > 1)
		missing = choose(settings, a.channels + 1, a.count - 1);
	if (missing)
		fprintf(stderr, "%s: %s: there is no such setting of it: %s\n", argv[0], a.channels[0], missing);
	else if (a.json)
		err = json_dumpf(settings, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF ? EIO : 0;
	else
		err = print_table(settings);
	json_decref(answer);
	return missing || err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_set = { "set", "change settings of a channel, tap or mount", run_set };
const struct command command_get = { "get", "show the settings of a channel, tap or mount", run_get };
