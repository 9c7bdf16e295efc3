/* spfs set, spfs get: the settings of a channel, a tap or a mount. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "argument.h"
#include "command.h"
#include "complaint.h"
#include "output.h"
#include "place.h"
#include "prologue.h"
#include "setting.h"
#include "table.h"
#include "target.h"

/* Asks the daemon of @path @op; @settings (taken, or NULL) belong to it. NULL: complained. */
static json_t *settings_ask_daemon(const char *path, const char *op, json_t *settings)
{
	json_t *request, *answer = NULL;
	struct target t;

	if (target_open(&t, path, TARGET_CHANNEL) == 0) {
		request = target_request(&t, op);
		if (settings)
			json_object_set(request, "settings", settings);
		answer = target_ask(&t, request, -1);
		target_close(&t);
	}
	json_decref(settings);
	return answer;
}

/* ---- set ---- */

struct settings_assignments {
	const char *channel;
	const char *prologue; /* a file with its bytes; NULL: none */
	json_t *settings;
};

static error_t settings_parse_set(int key, char *arg, struct argp_state *state)
{
	struct settings_assignments *a = state->input;
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
		if (!strcmp(arg, "prologue") && equals[1] == '@') {
			a->prologue = equals + 2;
			return 0;
		}
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

static const char *settings_prologue_reason(int err)
{
	switch (err) {
	case -EACCES:
		return "no right to write the channel";
	case -EDQUOT:
		return "beyond the quota, see 'spfs quota'";
	case -EINVAL:
		return "a prologue belongs to the channel's first name, the origin";
	default:
		return place_reason(err);
	}
}

/*
 * The bytes of a file are any: so by the attribute, for the control socket takes text. What the attribute takes for words cannot
 * be said there.
 */
static int settings_set_prologue(const char *channel, const char *path)
{
	static char bytes[PROLOGUE_MAX + 1];
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
	int err = !file || ferror(file) ? -errno : 0;

	if (file)
		fclose(file);
	if (err < 0)
		return complaint_print_errno(path, err);
	if (n == 0 || n > PROLOGUE_MAX)
		return complaint_print(path, n ? "a prologue has 64K at most" : "there is nothing in it");
	if (!setting_is_prologue(bytes, n))
		return complaint_print(path,
				       "what is none, or begins with first: or bytes:, is read as a word here, and no "
				       "bytes: spfs.conf(5) takes it");
	if (setxattr(channel, "spfs.prologue", bytes, n, 0) < 0)
		return complaint_print(channel, settings_prologue_reason(-errno));
	return EXIT_SUCCESS;
}

static int settings_run_set(int argc, char *argv[])
{
	static const struct argp argp = {
		.parser = settings_parse_set,
		.args_doc = "CHANNEL KEY=VALUE...",
		.doc = "Change settings of a channel, of a tap, or of a mount by its folder.\v"
		       "channel: size, replay, eof, packets, stable, rate, record, prologue, readers,\n"
		       "         keep, on-error\n"
		       "tap:     size, depth, latency, policy, idle, rate, on-error\n"
		       "mount:   quota, nodes, descriptors\n"
		       "Sizes take K, M, G and T. prologue=@FILE takes the bytes of a file. spfsd(8) says what each means.",
	};
	struct settings_assignments a = { .settings = json_object() };
	json_t *answer;

	argument_parse(&argp, argc, argv, &a);
	if (a.prologue && settings_set_prologue(a.channel, a.prologue) != EXIT_SUCCESS) {
		json_decref(a.settings);
		return EXIT_FAILURE;
	}
	if (a.prologue && !json_object_size(a.settings)) {
		json_decref(a.settings);
		return EXIT_SUCCESS;
	}
	answer = settings_ask_daemon(a.channel, "set", a.settings);
	json_decref(answer);
	return answer ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- get ---- */

enum { KEY, VALUE };

static const struct column settings_fields[] = { [KEY] = { "KEY", 0 }, [VALUE] = { "VALUE", SCOLS_FL_RIGHT } };

/* Returns 0 or -ENOMEM. */
static int settings_print_table(json_t *settings)
{
	struct libscols_table *table = table_new(settings_fields, sizeof(settings_fields) / sizeof(settings_fields[0]));
	const char *key;
	json_t *value;

	if (!table)
		return -ENOMEM;
	json_object_foreach(settings, key, value) {
		struct libscols_line *line = table_line(table, NULL);

		if (!line)
			break;
		table_text(line, KEY, "%s", key);
		if (json_is_null(value)) /* who has the ring open keeps it locked */
			table_text(line, VALUE, "unknown");
		else if (json_is_string(value))
			table_text(line, VALUE, "%s", json_string_value(value));
		else
			table_size(line, VALUE, settings, key);
	}
	return table_print(table);
}

/* Leaves those that were asked for: @keys. Returns the first that is not there, or NULL. */
static const char *settings_choose(json_t *settings, char **keys, int count)
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

static error_t settings_parse_get(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "of which channel?");
	return argument_list_parse(key, arg, state);
}

static int settings_run_get(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "JSON: an object, with exact numbers", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = settings_parse_get,
		.args_doc = "CHANNEL [KEY...]",
		.doc = "Show the settings of a channel, of a tap, or of a mount by its folder.",
	};
	const char *missing = NULL;
	struct argument_list a = { 0 };
	json_t *answer, *settings;
	int err = 0;

	argument_parse(&argp, argc, argv, &a);
	answer = settings_ask_daemon(a.names[0], "get", NULL);
	if (!answer)
		return EXIT_FAILURE;
	settings = json_object_get(answer, "settings");
	if (a.count > 1)
		missing = settings_choose(settings, a.names + 1, a.count - 1);
	if (missing) {
		char why[256];

		snprintf(why, sizeof(why), "there is no such setting of it: %s", missing);
		complaint_print(a.names[0], why);
	} else {
		err = a.json ? output_json(settings, JSON_INDENT(2)) : settings_print_table(settings);
	}
	json_decref(answer);
	if (err < 0)
		complaint_print_errno("output", err);
	return missing || err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_set = { "set", "change settings of a channel, tap or mount", settings_run_set };
const struct command command_get = { "get", "show the settings of a channel, tap or mount", settings_run_get };
