/* spfs ports: the sources and sinks of channels. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "control.h"
#include "place.h"
#include "samples.h"
#include "shown.h"
#include "table.h"

/* What is found, and the daemon that was asked last: most channels are of one mount. */
struct search {
	const char *who;
	json_t *ports;
	char root[PATH_MAX];
	int control;
	bool failed;
};

enum { ID, DIR, NAME, STATE, BYTES, TOTAL, BY_REF, COPIES, HOW, URI, ERROR };

static const struct column columns[] = {
	[ID] = { "ID", SCOLS_FL_RIGHT },
	[DIR] = { "DIR", 0 },
	[NAME] = { "NAME", 0 },
	[STATE] = { "STATE", 0 },
	[BYTES] = { "BYTES", SCOLS_FL_RIGHT },
	[TOTAL] = { "TOTAL", SCOLS_FL_RIGHT },
	[BY_REF] = { "BY-REF", SCOLS_FL_RIGHT },
	[COPIES] = { "COPIES", SCOLS_FL_RIGHT },
	[HOW] = { "HOW", 0 },
	[URI] = { "URI", 0 },
	[ERROR] = { "ERROR", 0 },
};

static void complain(struct search *s, const char *what, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", s->who, what, why);
	s->failed = true;
}

/* The connection to the daemon at @root, or a negative errno. */
static int daemon_at(struct search *s, const char *root)
{
	if (s->control >= 0 && !strcmp(s->root, root))
		return s->control;
	if (s->control >= 0)
		close(s->control);
	snprintf(s->root, sizeof(s->root), "%s", root);
	s->control = control_connect(root);
	return s->control;
}

/* Adds the ports of the channel @inside the mount at @root; @shown: how the caller named it. */
static void add(struct search *s, const char *shown, const char *root, const char *inside)
{
	int fd = daemon_at(s, root);
	json_t *answer = NULL, *port;
	size_t i;

	if (fd >= 0)
		answer = control_ask(fd, json_pack("{ss ss}", "op", "ports", "channel", inside), -1);
	if (!answer)
		complain(s, shown, control_reason(fd < 0 ? -fd : errno));
	else if (control_error(answer))
		complain(s, shown, control_error(answer));
	json_array_foreach(json_object_get(answer, "ports"), i, port) {
		json_object_set_new(port, "mount", json_string(root));
		json_array_append(s->ports, port);
	}
	json_decref(answer);
}

static void add_samples(struct search *s, const struct samples *list)
{
	for (size_t i = 0; i < list->count; i++)
		add(s, list->all[i]->path, list->all[i]->root, list->all[i]->path + strlen(list->all[i]->root));
}

static void add_path(struct search *s, const char *path)
{
	struct samples list = { 0 };
	struct place place;
	struct stat st;
	int err = place_of(&place, path);

	if (err) {
		complain(s, path, place_reason(err));
	} else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		err = samples_add_tree(&list, path);
		if (err)
			complain(s, path, place_reason(err));
		add_samples(s, &list);
		samples_free(&list);
	} else {
		add(s, path, place.root, place_inside(&place));
	}
}

static void add_mounts(struct search *s)
{
	struct samples list = { 0 };
	int err = samples_add_mounts(&list);

	if (err)
		complain(s, "mounts", strerror(err));
	add_samples(s, &list);
	samples_free(&list);
}

static const char *text(const json_t *port, const char *key)
{
	const char *value = json_string_value(json_object_get(port, key));

	return value ? value : "";
}

static int print_table(const json_t *ports)
{
	struct libscols_table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	json_t *port;
	size_t i;

	if (!table)
		return ENOMEM;
	json_array_foreach((json_t *)(void *)ports, i, port) {
		struct libscols_line *line = table_line(table, NULL);

		if (!line)
			break;
		table_number(line, ID, port, "id");
		table_text(line, DIR, "%s", text(port, "dir"));
		table_text(line, NAME, "%s%s", text(port, "mount"), text(port, "name"));
		table_text(line, STATE, "%s", text(port, "state"));
		table_size(line, BYTES, port, "bytes");
		table_size(line, TOTAL, port, "total");
		table_number(line, BY_REF, port, "pages_ref");
		table_number(line, COPIES, port, "copies");
		table_text(line, HOW, "%s%s%s", text(port, "how"), *text(port, "format") ? ", " : "",
			   text(port, "format"));
		table_text(line, URI, "%s", text(port, "uri"));
		table_text(line, ERROR, "%s", text(port, "error"));
	}
	scols_print_table(table);
	scols_unref_table(table);
	return 0;
}

static int run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "JSON: an array", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = shown_parse,
		.args_doc = "[CHANNEL|FOLDER...]",
		.doc = "Show the sources and sinks of channels, running and lately ended: pages moved by reference, calls "
		       "that copied, and the last error.\vWithout an argument: of every channel of every mount.",
	};
	struct search s = { .who = argv[0], .control = -1, .ports = json_array() };
	struct shown a = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	for (int i = 0; i < a.count; i++)
		add_path(&s, a.channels[i]);
	if (!a.count)
		add_mounts(&s);
	if (a.json) {
		json_dumpf(s.ports, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (json_array_size(s.ports) || !s.failed) {
		int err = print_table(s.ports);

		if (err)
			complain(&s, "output", strerror(err));
	}
	json_decref(s.ports);
	if (s.control >= 0)
		close(s.control);
	return s.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_ports = { "ports", "show the sources and sinks of channels", run };
