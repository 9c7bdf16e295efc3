/* spfs quota: what each user holds of a mount, and may hold. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "argument.h"
#include "command.h"
#include "complaint.h"
#include "output.h"
#include "table.h"
#include "target.h"

enum { USER, USED, LIMIT, NODES, NODES_MAX, FDS, FDS_MAX };

static const struct column quota_columns[] = {
	[USER] = { "USER", 0 },
	[USED] = { "USED", SCOLS_FL_RIGHT },
	[LIMIT] = { "LIMIT", SCOLS_FL_RIGHT },
	[NODES] = { "NODES", SCOLS_FL_RIGHT },
	[NODES_MAX] = { "NODES-MAX", SCOLS_FL_RIGHT },
	[FDS] = { "FDS", SCOLS_FL_RIGHT },
	[FDS_MAX] = { "FDS-MAX", SCOLS_FL_RIGHT },
};

/* The daemon knows numbers only: to look a name up may take its time. */
static void quota_add_names(json_t *quotas)
{
	json_t *quota;
	size_t i;

	json_array_foreach(quotas, i, quota) {
		json_int_t uid = json_integer_value(json_object_get(quota, "uid"));
		const struct passwd *user = getpwuid((uid_t)uid);
		char number[32];

		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, uid);
		json_object_set_new(quota, "user", output_string(user ? user->pw_name : number));
	}
}

/* Returns 0 or -ENOMEM. */
static int quota_print_table(json_t *quotas)
{
	struct libscols_table *table = table_new(quota_columns, sizeof(quota_columns) / sizeof(quota_columns[0]));
	json_t *quota;
	size_t i;

	if (!table)
		return -ENOMEM;
	json_array_foreach(quotas, i, quota) {
		struct libscols_line *line = table_line(table, NULL);

		if (!line)
			break;
		table_text(line, USER, "%s", json_string_value(json_object_get(quota, "user")));
		table_size(line, USED, quota, "used");
		table_size(line, LIMIT, quota, "limit");
		table_number(line, NODES, quota, "nodes");
		table_number(line, NODES_MAX, quota, "nodes_limit");
		table_number(line, FDS, quota, "descriptors");
		table_number(line, FDS_MAX, quota, "descriptors_limit");
	}
	return table_print(table);
}

static error_t quota_parse(int key, char *arg, struct argp_state *state)
{
	error_t err = argument_list_parse(key, arg, state);
	const struct argument_list *a = state->input;

	if (key == ARGP_KEY_ARGS && a->count > 1)
		argp_error(state, "one mount, please: '%s' is too much", a->names[1]);
	return err;
}

static int quota_run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "JSON: an array, with exact numbers", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = quota_parse,
		.args_doc = "[MOUNT]",
		.doc = "Show what each user's channels, taps and ports hold, and may hold: bytes of ring, depth and "
		       "replay, nodes (names, folders, open files), and descriptors of the daemon.\v"
		       "MOUNT is any name in the mount, by default the working folder. Root and the daemon's user see "
		       "every user, others themselves.",
	};
	struct argument_list a = { 0 };
	json_t *answer, *quotas;
	struct target t;
	int err;

	argument_parse(&argp, argc, argv, &a);
	if (target_open(&t, a.count ? a.names[0] : ".", TARGET_MOUNT) < 0)
		return EXIT_FAILURE;
	answer = target_ask(&t, json_pack("{ss}", "op", "quota"), -1);
	target_close(&t);
	if (!answer)
		return EXIT_FAILURE;
	quotas = json_object_get(answer, "quotas");
	quota_add_names(quotas);
	err = a.json ? output_json(quotas, JSON_INDENT(2)) : quota_print_table(quotas);
	json_decref(answer);
	return err < 0 ? complaint_print_errno("output", err) : EXIT_SUCCESS;
}

const struct command command_quota = { "quota", "show what each user holds, and may hold", quota_run };
