/* spfs ports: the sources and sinks of channels. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "argument.h"
#include "command.h"
#include "complaint.h"
#include "output.h"
#include "samples.h"
#include "table.h"
#include "target.h"

struct ports_search {
	json_t *found;
	bool failed;
};

enum { ID, DIR, NAME, STATE, BYTES, TOTAL, LOST, BY_REF, COPIES, HOW, URI, FILES, ERROR };

static const struct column ports_columns[] = {
	[ID] = { "ID", SCOLS_FL_RIGHT },
	[DIR] = { "DIR", 0 },
	[NAME] = { "NAME", 0 },
	[STATE] = { "STATE", 0 },
	[BYTES] = { "BYTES", SCOLS_FL_RIGHT },
	[TOTAL] = { "TOTAL", SCOLS_FL_RIGHT },
	[LOST] = { "LOST", SCOLS_FL_RIGHT },
	[BY_REF] = { "BY-REF", SCOLS_FL_RIGHT },
	[COPIES] = { "COPIES", SCOLS_FL_RIGHT },
	[HOW] = { "HOW", 0 },
	[URI] = { "URI", 0 },
	[FILES] = { "FILE", 0 },
	[ERROR] = { "ERROR", 0 },
};

/* @ports: an array, of a channel in the mount at @root, which shows @part. */
static void ports_add(struct ports_search *s, const char *root, const char *part, const json_t *ports)
{
	json_t *port;
	size_t i;

	json_array_foreach((json_t *)(void *)ports, i, port) {
		if (*part)
			s->failed |= samples_rename(port, "name", part) < 0;
		json_object_set_new(port, "mount", output_string(root));
		json_array_append(s->found, port);
	}
}

/* Of one channel: the daemon is asked for that alone. */
static void ports_add_channel(struct ports_search *s, const char *path)
{
	json_t *answer = NULL;
	struct target t;

	if (target_open(&t, path, TARGET_CHANNEL) == 0) {
		answer = target_ask(&t, target_request(&t, "ports"), -1);
		ports_add(s, t.place.root, t.place.part, json_object_get(answer, "ports"));
		target_close(&t);
	}
	s->failed |= !answer;
	json_decref(answer);
}

/* Of the channels below each of those folders, or of all. */
static void ports_add_folders(struct ports_search *s, char **folders, int count)
{
	struct samples list = { 0 };

	samples_take(&list, folders, count, samples_complain, &s->failed);
	samples_complain_of_none(&s->failed, &list, count);
	for (size_t i = 0; i < list.count; i++)
		ports_add(s, list.all[i]->root, "", json_object_get(list.all[i]->stats, "ports"));
	samples_free(&list);
}

static void ports_add_path(struct ports_search *s, char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		ports_add_folders(s, &path, 1);
	else
		ports_add_channel(s, path);
}

static const char *ports_text(const json_t *port, const char *key)
{
	const char *value = json_string_value(json_object_get(port, key));

	return value ? value : "";
}

/* Which one it is at, of one that goes from file to file. */
static void ports_print_file(struct libscols_line *line, const json_t *port)
{
	json_int_t n = json_integer_value(json_object_get(port, "rotations"));

	if (n)
		table_text(line, FILES, "%s, %" JSON_INTEGER_FORMAT " before", ports_text(port, "file"), n);
	else
		table_text(line, FILES, "%s", ports_text(port, "file"));
}

/* Returns 0 or a negative errno. */
static int ports_print_table(const json_t *ports)
{
	struct libscols_table *table = table_new(ports_columns, sizeof(ports_columns) / sizeof(ports_columns[0]));
	json_t *port;
	size_t i;

	if (!table)
		return -ENOMEM;
	json_array_foreach((json_t *)(void *)ports, i, port) {
		struct libscols_line *line = table_line(table, NULL);

		if (!line)
			break;
		table_number(line, ID, port, "id");
		table_text(line, DIR, "%s", ports_text(port, "dir"));
		table_text(line, NAME, "%s%s", ports_text(port, "mount"), ports_text(port, "name"));
		table_text(line, STATE, "%s", ports_text(port, "state"));
		table_size(line, BYTES, port, "bytes");
		table_size(line, TOTAL, port, "total");
		table_size(line, LOST, port, "lost");
		table_number(line, BY_REF, port, "pages_ref");
		table_number(line, COPIES, port, "copies");
		table_text(line, HOW, "%s%s%s", ports_text(port, "how"), *ports_text(port, "format") ? ", " : "",
			   ports_text(port, "format"));
		table_text(line, URI, "%s", ports_text(port, "uri"));
		ports_print_file(line, port);
		table_text(line, ERROR, "%s", ports_text(port, "error"));
	}
	return table_print(table);
}

static int ports_run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "JSON: an array", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = argument_list_parse,
		.args_doc = "[CHANNEL|FOLDER...]",
		.doc = "Show the sources and sinks of channels, running and lately ended: bytes moved and lost, pages "
		       "moved by reference, calls that copied, and the last error.\vWithout an argument: of every mount. Only channels "
		       "that you may read or write are shown.",
	};
	struct ports_search s = { .found = json_array() };
	struct argument_list a = { 0 };
	int err = 0;

	argument_parse(&argp, argc, argv, &a);
	for (int i = 0; i < a.count; i++)
		ports_add_path(&s, a.names[i]);
	if (!a.count)
		ports_add_folders(&s, NULL, 0);
	if (a.json)
		err = output_json(s.found, JSON_INDENT(2));
	else if (json_array_size(s.found) || !s.failed)
		err = ports_print_table(s.found);
	if (err < 0)
		complaint_print_errno("output", err);
	json_decref(s.found);
	return s.failed || err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_ports = { "ports", "show the sources and sinks of channels", ports_run };
