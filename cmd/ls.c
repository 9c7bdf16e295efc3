/* spfs ls: the tree of folders, channels and taps, with rates and fill. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "place.h"
#include "samples.h"
#include "table.h"

struct arguments {
	double interval;
	char **folders;
	int count;
};

enum { NAME, RATE, FILL, USERS };

static const struct column columns[] = {
	[NAME] = { "NAME", SCOLS_FL_TREE },
	[RATE] = { "RATE/S", SCOLS_FL_RIGHT },
	[FILL] = { "FILL", SCOLS_FL_RIGHT },
	[USERS] = { "OPEN BY", 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;

	switch (key) {
	case 'i':
		a->interval = strtod(arg, &end);
		if (end == arg || *end || !(a->interval >= 0 && a->interval <= 3600))
			argp_error(state, "--interval=%s: 0 to 3600 seconds", arg);
		return 0;
	case ARGP_KEY_ARGS:
		a->folders = state->argv + state->next;
		a->count = state->argc - state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A folder that has a line already. */
struct folder {
	char *path; /* from the mount's root, "" for itself */
	struct libscols_line *line;
};

struct tree {
	struct libscols_table *table;
	const char *root;
	struct folder *folders;
	size_t count;
};

static struct libscols_line *folder_line(struct tree *t, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct libscols_line *line, *parent = NULL;
	char *name = strdup(path);
	struct folder *more;

	for (size_t i = 0; name && i < t->count; i++)
		if (!strcmp(t->folders[i].path, path)) {
			free(name);
			return t->folders[i].line;
		}
	if (slash && name) {
		name[slash - path] = '\0';
		parent = folder_line(t, name);
		name[slash - path] = '/';
	}
	more = name ? realloc(t->folders, (t->count + 1) * sizeof(*more)) : NULL;
	if (!more) {
		free(name);
		return NULL;
	}
	t->folders = more;
	line = table_line(t->table, parent);
	if (line)
		table_text(line, NAME, "%s", slash ? slash + 1 : t->root);
	t->folders[t->count++] = (struct folder){ name, line };
	return line;
}

static void users(struct libscols_line *line, const json_t *object)
{
	json_int_t writers = json_integer_value(json_object_get(object, "writers"));
	json_int_t readers = json_integer_value(json_object_get(object, "readers"));
	char text[64] = "";

	if (writers > 0)
		snprintf(text, sizeof(text), "%lld writer%s", (long long)writers, writers > 1 ? "s" : "");
	if (readers > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%lld reader%s", *text ? ", " : "",
			 (long long)readers, readers > 1 ? "s" : "");
	table_text(line, USERS, "%s", text);
}

/* How @path is called beside @origin: without the folder they share. */
static const char *beside(const char *origin, const char *path)
{
	const char *slash = origin ? strrchr(origin, '/') : NULL;
	size_t n = slash ? (size_t)(slash - origin) + 1 : 0;

	return n && !strncmp(origin, path, n) ? path + n : path;
}

static void add_channel(struct tree *t, const struct sample *s)
{
	const char *origin = json_string_value(json_object_get(s->stats, "channel"));
	const char *path = origin ? origin : s->path + strlen(s->root);
	const char *slash = strrchr(path, '/');
	char *dir = strndup(path, slash ? (size_t)(slash - path) : 0);
	struct libscols_line *parent = dir ? folder_line(t, dir) : NULL;
	struct libscols_line *line = parent ? table_line(t->table, parent) : NULL;
	json_t *tap;
	size_t i;

	free(dir);
	if (!line)
		return;
	table_text(line, NAME, "%s%s", slash ? slash + 1 : path, origin || s->err ? "" : " (origin gone)");
	if (s->err) {
		table_text(line, USERS, "%s", place_reason(s->err));
		return;
	}
	table_bytes(line, RATE, sample_rate(s, s->stats, s->before, "bytes_in"));
	table_fill(line, FILL, s->stats);
	users(line, s->stats);
	json_array_foreach(json_object_get(s->stats, "taps"), i, tap) {
		const char *name = json_string_value(json_object_get(tap, "name"));
		struct libscols_line *child = table_line(t->table, line);

		if (!child)
			return;
		table_text(child, NAME, "%s", beside(origin, name));
		table_bytes(child, RATE, sample_rate(s, tap, sample_tap_before(s, name), "bytes_out"));
		table_fill(child, FILL, tap);
		users(child, tap);
	}
}

static int print(const struct samples *list)
{
	struct tree t = { .table = table_new(columns, sizeof(columns) / sizeof(columns[0])) };

	if (!t.table)
		return ENOMEM;
	for (size_t i = 0; i < list->count; i++) {
		if (!t.root || strcmp(t.root, list->all[i]->root)) {
			for (size_t f = 0; f < t.count; f++)
				free(t.folders[f].path);
			t.count = 0;
			t.root = list->all[i]->root;
		}
		add_channel(&t, list->all[i]);
	}
	scols_print_table(t.table);
	scols_unref_table(t.table);
	for (size_t f = 0; f < t.count; f++)
		free(t.folders[f].path);
	free(t.folders);
	return 0;
}

static int run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "interval", 'i', "SECONDS", 0, "time over which rates are taken (default 1; 0: no rates)", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[FOLDER...]",
		.doc = "List channels as a tree with their taps: bytes a second, how full, and who has them "
		       "open.\vWithout an argument: every mount.",
	};
	struct arguments a = { .interval = 1 };
	struct samples list = { 0 };
	int err = 0;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	for (int i = 0; !err && i < a.count; i++) {
		err = samples_add(&list, a.folders[i]);
		if (err)
			fprintf(stderr, "%s: %s: %s\n", argv[0], a.folders[i], place_reason(err));
	}
	if (!a.count)
		err = samples_add_mounts(&list);
	if (!err && a.interval > 0 && list.count > 0)
		samples_again(&list, a.interval);
	if (!err)
		err = print(&list);
	samples_free(&list);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_ls = { "ls", "list channels and taps, with rates and fill", run };
