/* spfs quota: what each user's channels hold of a mount, and may hold. */
#include <argp.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "control.h"
#include "place.h"
#include "shown.h"
#include "table.h"

enum { USER, USED, LIMIT };

static const struct column columns[] = {
	[USER] = { "USER", 0 }, [USED] = { "USED", SCOLS_FL_RIGHT }, [LIMIT] = { "LIMIT", SCOLS_FL_RIGHT },
};

/* The daemon knows numbers only: to look a name up may take its time. */
static void add_names(json_t *quotas)
{
	json_t *quota;
	size_t i;

	json_array_foreach(quotas, i, quota) {
		json_int_t uid = json_integer_value(json_object_get(quota, "uid"));
		const struct passwd *user = getpwuid((uid_t)uid);
		char number[32];

		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, uid);
		json_object_set_new(quota, "user", json_string(user ? user->pw_name : number));
	}
}

static int print_table(json_t *quotas)
{
	struct libscols_table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	json_t *quota;
	size_t i;

	if (!table)
		return ENOMEM;
	json_array_foreach(quotas, i, quota) {
		struct libscols_line *line = table_line(table, NULL);

		if (!line)
			break;
		table_text(line, USER, "%s", json_string_value(json_object_get(quota, "user")));
		table_size(line, USED, quota, "used");
		table_size(line, LIMIT, quota, "limit");
	}
	scols_print_table(table);
	scols_unref_table(table);
	return 0;
}

static int run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "JSON: an array, with exact numbers", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = shown_parse,
		.args_doc = "[MOUNT]",
		.doc = "Show the bytes of ring, depth and replay that each user's channels, taps and ports hold, and may "
		       "hold.\vMOUNT is any name in the mount, by default the working folder. Root and the daemon's user "
		       "see every user, others themselves.",
	};
	struct shown a = { 0 };
	json_t *answer = NULL, *quotas;
	struct place place;
	const char *path, *why;
	int err, fd;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	if (a.count > 1) {
		fprintf(stderr, "%s: one mount, please: '%s' is too much\n", argv[0], a.channels[1]);
		return EXIT_FAILURE;
	}
	path = a.count ? a.channels[0] : ".";
	err = place_of(&place, path);
	fd = err ? -err : control_connect(place.root);
	if (fd >= 0)
		answer = control_ask(fd, json_pack("{ss}", "op", "quota"), -1);
	why = answer ? control_error(answer) : err ? place_reason(err) : fd < 0 ? control_no_mount(-fd) : control_reason(errno);
	if (fd >= 0)
		close(fd);
	if (why) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], path, why);
		json_decref(answer);
		return EXIT_FAILURE;
	}
	quotas = json_object_get(answer, "quotas");
	add_names(quotas);
	if (a.json)
		err = json_dumpf(quotas, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF ? EIO : 0;
	else
		err = print_table(quotas);
	json_decref(answer);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_quota = { "quota", "show what each user holds, and may hold", run };
