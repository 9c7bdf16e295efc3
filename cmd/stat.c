/* spfs stat: the counters of channels and their taps. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "argument.h"
#include "attribute.h"
#include "command.h"
#include "complaint.h"
#include "output.h"
#include "samples.h"
#include "state.h"
#include "stats-file.h"
#include "table.h"

/* Between two looks. */
#define STAT_SECONDS 0.1

enum { NAME, BYTES, WAITING, WRITERS, READERS, STREAMS, BY_REF, COPIED, LOST, STATE, WAITS };

static const struct column stat_columns[] = {
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
	[WAITS] = { "WAITS FOR", 0 },
};

static const char *stat_state(char text[STATE_TEXT_MAX], const struct sample *s)
{
	bool gone = json_is_null(json_object_get(s->stats, "channel"));

	if (gone && json_is_null(json_object_get(s->stats, "held_by")) && !state_is_foreign(s))
		return "origin gone";
	return state_of_channel(text, s);
}

/* Why it does not go on, in the daemon's words. */
static void stat_waits(struct libscols_line *line, const json_t *stats)
{
	const char *text = json_string_value(json_object_get(stats, "waits"));

	table_text(line, WAITS, "%s", text ? text : "");
}

static void stat_add_channel(struct libscols_table *table, const struct sample *s)
{
	struct libscols_line *line = table_line(table, NULL);
	char state[STATE_TEXT_MAX];
	json_t *tap;
	size_t i;

	if (!line)
		return;
	table_text(line, NAME, "%s", s->path);
	table_size(line, BYTES, s->stats, "bytes_in");
	table_size(line, WAITING, s->stats, "waiting");
	table_number(line, WRITERS, s->stats, "writers");
	table_number(line, READERS, s->stats, "readers");
	table_number(line, STREAMS, s->stats, "streams");
	table_number(line, BY_REF, s->stats, "chunks_ref");
	table_number(line, COPIED, s->stats, "chunks_copy");
	table_bytes(line, LOST, sample_lost(s));
	table_text(line, STATE, "%s", stat_state(state, s));
	stat_waits(line, s->stats);
	json_array_foreach(json_object_get(s->stats, "taps"), i, tap) {
		struct libscols_line *child = table_line(table, line);

		if (!child)
			return;
		table_text(child, NAME, "%s%s", s->root, json_string_value(json_object_get(tap, "name")));
		table_size(child, BYTES, tap, "bytes_out");
		table_size(child, WAITING, tap, "waiting");
		table_number(child, READERS, tap, "readers");
		table_size(child, LOST, tap, "lost");
		table_text(child, STATE, "%s", state_of_tap(state, s, tap));
		stat_waits(child, tap);
	}
}

/* Returns 0 or a negative errno. */
static int stat_print_table(const struct samples *list)
{
	struct libscols_table *table = table_new(stat_columns, sizeof(stat_columns) / sizeof(stat_columns[0]));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++)
		stat_add_channel(table, list->all[i]);
	return table_print(table);
}

/* What stats.json has beyond the attribute spfs.stats: a channel looks the same however it was asked for. */
static void stat_drop_details(json_t *stats)
{
	json_t *tap;
	size_t i;

	json_object_del(stats, "inode");
	json_object_del(stats, "settings");
	json_object_del(stats, "ports");
	json_array_foreach(json_object_get(stats, "taps"), i, tap) {
		json_object_del(tap, "id");
		json_object_del(tap, "settings");
	}
}

/* One object for one channel named, else an array. Returns 0 or a negative errno. */
static int stat_print_json(const struct samples *list, bool single)
{
	json_t *array = json_array();
	int err;

	for (size_t i = 0; i < list->count; i++) {
		json_t *stats = list->all[i]->stats;

		stat_drop_details(stats);
		json_object_set_new(stats, "mount", output_string(list->all[i]->root));
		json_array_append(array, stats);
	}
	err = output_json(single ? json_array_get(array, 0) : array, JSON_INDENT(2));
	json_decref(array);
	return err;
}

static bool stat_is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What the sources and sinks of the channel @path, which was the last to be added, have lost is the channel's loss. */
static void stat_add_ports(struct samples *list, const char *path)
{
	json_t *ports = NULL;

	if (attribute_read(path, "spfs.ports", &ports) == 0)
		json_object_set_new(list->all[list->count - 1]->stats, "ports", ports);
}

/* Adds one channel, or what is in a folder. */
static void stat_add(struct samples *list, char *path, samples_failed failed, void *data)
{
	size_t count = list->count;
	int err = samples_add_by_attribute(list, path);

	if (err == 0 && list->count > count)
		stat_add_ports(list, path);
	/* The origin of a teed channel may be written only, but who may write it may be told of it. */
	if (err == -EISDIR || err == -EACCES)
		err = samples_add(list, path);
	if (err < 0)
		failed(data, path, err);
}

/* Adds what is asked for. */
static void stat_take(struct samples *list, const struct argument_list *a, samples_failed failed, void *data)
{
	for (int i = 0; i < a->count; i++)
		stat_add(list, a->names[i], failed, data);
	if (!a->count)
		samples_take(list, NULL, 0, failed, data);
}

/* It fails again, and is complained of then. */
static void stat_ignore(void *data, const char *what, int err)
{
}

static int stat_run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "JSON: one object for one CHANNEL, else an array", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = argument_list_parse,
		.args_doc = "[CHANNEL|FOLDER...]",
		.doc = "Show what went through channels and their taps, and who has them open.\vWithout an "
		       "argument: every mount. Only channels that you may read or write are shown. A dash is what the "
		       "daemon does not know: a channel without taps is moved by the kernel alone.",
	};
	struct samples before = { 0 }, list = { 0 };
	struct argument_list a = { 0 };
	bool failed = false;
	int err = 0;

	argument_parse(&argp, argc, argv, &a);
	if (!a.json)
		stat_take(&before, &a, stat_ignore, NULL);
	if (before.count) /* what moves is told from what waits */
		stats_file_wait(STAT_SECONDS);
	stat_take(&list, &a, samples_complain, &failed);
	samples_follow(&list, &before);
	samples_complain_of_none(&failed, &list, a.count);
	if (list.count > 0 || !failed)
		err = a.json ? stat_print_json(&list, a.count == 1 && list.count == 1 && !stat_is_folder(a.names[0])) :
			       stat_print_table(&list);
	if (err < 0)
		complaint_print_errno("output", err);
	samples_free(&before);
	samples_free(&list);
	return failed || err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_stat = { "stat", "show the counters of channels and taps", stat_run };
