/* spfs stat: the counters of channels and their taps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "place.h"
#include "samples.h"
#include "shown.h"
#include "table.h"

enum { NAME, BYTES, WAITING, WRITERS, READERS, STREAMS, BY_REF, COPIED, LOST, STATE };

static const struct column columns[] = {
	[NAME] = { "NAME", SCOLS_FL_TREE },
	[BYTES] = { "BYTES", SCOLS_FL_RIGHT },
	[WAITING] = { "WAITING", SCOLS_FL_RIGHT },
	[WRITERS] = { "WRITERS", SCOLS_FL_RIGHT },
	[READERS] = { "READERS", SCOLS_FL_RIGHT },
	[STREAMS] = { "STREAMS", SCOLS_FL_RIGHT },
	[BY_REF] = { "BY-REF", SCOLS_FL_RIGHT },
	[COPIED] = { "COPIED", SCOLS_FL_RIGHT },
	[LOST] = { "LOST", SCOLS_FL_RIGHT },
	[STATE] = { "STATE", 0 },
};

static const char *state_of(const struct sample *s)
{
	const json_t *writers = json_object_get(s->stats, "writers");

	if (json_integer_value(json_object_get(s->stats, "foreign_readers")) > 0)
		return "FOREIGN READER";
	if (json_is_null(json_object_get(s->stats, "channel")))
		return "origin gone";
	return json_integer_value(writers) > 0 ? "open" : "idle";
}

static void add_channel(struct libscols_table *table, const struct sample *s)
{
	const char *name = json_string_value(json_object_get(s->stats, "channel"));
	struct libscols_line *line = table_line(table, NULL);
	json_t *tap;
	size_t i;

	if (!line)
		return;
	table_text(line, NAME, "%s%s", name ? s->root : s->path, name ? name : "");
	table_size(line, BYTES, s->stats, "bytes_in");
	table_size(line, WAITING, s->stats, "waiting");
	table_number(line, WRITERS, s->stats, "writers");
	table_number(line, READERS, s->stats, "readers");
	table_number(line, STREAMS, s->stats, "streams");
	table_number(line, BY_REF, s->stats, "chunks_ref");
	table_number(line, COPIED, s->stats, "chunks_copy");
	table_text(line, STATE, "%s", state_of(s));
	json_array_foreach(json_object_get(s->stats, "taps"), i, tap) {
		struct libscols_line *child = table_line(table, line);

		if (!child)
			return;
		table_text(child, NAME, "%s%s", s->root, json_string_value(json_object_get(tap, "name")));
		table_size(child, BYTES, tap, "bytes_out");
		table_size(child, WAITING, tap, "waiting");
		table_number(child, READERS, tap, "readers");
		table_size(child, LOST, tap, "lost");
		table_text(child, STATE, "%s", json_string_value(json_object_get(tap, "state")));
	}
}

static int print_table(const struct samples *list)
{
	struct libscols_table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));

	if (!table)
		return ENOMEM;
	for (size_t i = 0; i < list->count; i++)
		if (!list->all[i]->err)
			add_channel(table, list->all[i]);
	scols_print_table(table);
	scols_unref_table(table);
	return 0;
}

/* One object for one channel named, else an array. */
static int print_json(const struct samples *list, bool single)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		json_t *stats = list->all[i]->stats;

		if (list->all[i]->err)
			continue;
		json_object_set_new(stats, "mount", json_string(list->all[i]->root));
		json_array_append(array, stats);
	}
	json_dumpf(single ? json_array_get(array, 0) : array, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(array);
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int complain(const char *who, const char *what, int err)
{
	fprintf(stderr, "%s: %s: %s\n", who, what, place_reason(err));
	return 1;
}

static int run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "JSON: one object for one CHANNEL, else an array", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = shown_parse,
		.args_doc = "[CHANNEL|FOLDER...]",
		.doc = "Show what went through channels and their taps, and who has them open.\vWithout an "
		       "argument: every channel of every mount. A dash is what the daemon does not know: a "
		       "channel without taps is moved by the kernel alone.",
	};
	struct samples list = { 0 };
	struct shown a = { 0 };
	int failed = 0;
	int err;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	for (int i = 0; i < a.count; i++) {
		err = samples_add(&list, a.channels[i]);
		if (err)
			failed |= complain(argv[0], a.channels[i], err);
	}
	if (!a.count) {
		err = samples_add_mounts(&list);
		if (err)
			failed |= complain(argv[0], "mounts", err);
		for (size_t i = 0; i < list.count; i++)
			if (list.all[i]->err)
				failed |= complain(argv[0], list.all[i]->path, list.all[i]->err);
	}
	if (list.count > 0 || !failed) {
		err = a.json ? print_json(&list, a.count == 1 && list.count == 1 && !is_folder(a.channels[0])) : print_table(&list);
		if (err)
			failed |= complain(argv[0], "output", err);
	}
	samples_free(&list);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_stat = { "stat", "show the counters of channels and taps", run };
