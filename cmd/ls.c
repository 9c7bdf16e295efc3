/* spfs ls: the tree of folders, channels and taps, with rates and fill. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argument.h"
#include "command.h"
#include "complaint.h"
#include "samples.h"
#include "state.h"
#include "stats-file.h"
#include "table.h"

struct ls_arguments {
	double interval;
	char **names;
	int count;
};

enum { NAME, RATE, FILL, STATE, USERS };

static const struct column ls_columns[] = {
	[NAME] = { "NAME", SCOLS_FL_TREE },  [RATE] = { "RATE/S", SCOLS_FL_RIGHT },
	[FILL] = { "FILL", SCOLS_FL_RIGHT }, [STATE] = { "STATE", 0 },
	[USERS] = { "OPEN BY", 0 },
};

static error_t ls_parse(int key, char *arg, struct argp_state *state)
{
	struct ls_arguments *a = state->input;

	switch (key) {
	case 'i':
		a->interval = argument_seconds(state, "--interval", arg, 0, 3600);
		return 0;
	case ARGP_KEY_ARGS:
		a->names = state->argv + state->next;
		a->count = state->argc - state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A folder that has a line already. */
struct ls_folder {
	char *path; /* from the mount's root, "" for itself */
	struct libscols_line *line;
};

struct ls_tree {
	struct libscols_table *table;
	const char *root;
	struct ls_folder *folders;
	size_t count;
};

static struct libscols_line *ls_folder_line(struct ls_tree *t, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct libscols_line *line, *parent = NULL;
	char *name = strdup(path);
	struct ls_folder *more;

	for (size_t i = t->count; name && i-- > 0;) /* mostly the last one */
		if (!strcmp(t->folders[i].path, path)) {
			free(name);
			return t->folders[i].line;
		}
	if (slash && name) {
		name[slash - path] = '\0';
		parent = ls_folder_line(t, name);
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
	t->folders[t->count++] = (struct ls_folder){ name, line };
	return line;
}

static void ls_add_users(struct libscols_line *line, const json_t *object)
{
	json_int_t writers = json_integer_value(json_object_get(object, "writers"));
	json_int_t readers = json_integer_value(json_object_get(object, "readers"));
	bool each = json_is_true(json_object_get(object, "each"));
	char text[64] = "";

	if (writers > 0)
		snprintf(text, sizeof(text), "%lld writer%s", (long long)writers, writers > 1 ? "s" : "");
	if (readers > 0 || each)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%lld reader%s", *text ? ", " : "",
			 each ? "each of " : "", (long long)readers, readers == 1 ? "" : "s");
	table_text(line, USERS, "%s", text);
}

static void ls_add_channel(struct ls_tree *t, const struct sample *s)
{
	const char *path = s->path + strlen(s->root);
	const char *slash = strrchr(path, '/');
	char *dir = strndup(path, (size_t)(slash - path));
	struct libscols_line *parent = dir ? ls_folder_line(t, dir) : NULL;
	struct libscols_line *line = parent ? table_line(t->table, parent) : NULL;
	bool gone = json_is_null(json_object_get(s->stats, "channel"));
	char state[STATE_TEXT_MAX];
	json_t *tap;
	size_t i;

	free(dir);
	if (!line)
		return;
	table_text(line, NAME, "%s%s", slash + 1, gone ? " (origin gone)" : "");
	table_bytes(line, RATE, sample_rate(s, s->stats, s->before, "bytes_in"));
	table_fill(line, FILL, s->stats);
	table_text(line, STATE, "%s", state_of_channel(state, s));
	ls_add_users(line, s->stats);
	json_array_foreach(json_object_get(s->stats, "taps"), i, tap) {
		const char *name = json_string_value(json_object_get(tap, "name"));
		struct libscols_line *child = table_line(t->table, line);

		if (!child)
			return;
		table_text(child, NAME, "%s", gone || !name ? name : sample_leaf(path, name));
		table_bytes(child, RATE, sample_rate(s, tap, sample_tap_before(s, name), "bytes_out"));
		table_fill(child, FILL, tap);
		table_text(child, STATE, "%s", state_of_tap(state, s, tap));
		ls_add_users(child, tap);
	}
}

static void ls_forget_folders(struct ls_tree *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->folders[i].path);
	t->count = 0;
}

/* Returns 0 or a negative errno. */
static int ls_print(const struct samples *list)
{
	struct ls_tree t = { .table = table_new(ls_columns, sizeof(ls_columns) / sizeof(ls_columns[0])) };

	if (!t.table)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++) {
		if (!t.root || strcmp(t.root, list->all[i]->root)) {
			ls_forget_folders(&t);
			t.root = list->all[i]->root;
		}
		ls_add_channel(&t, list->all[i]);
	}
	ls_forget_folders(&t);
	free(t.folders);
	return table_print(t.table);
}

/* What fails the second time failed the first time as well, and has been complained of. */
static void ls_ignore(void *data, const char *what, int err)
{
}

static int ls_run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "interval", 'i', "SECONDS", 0, "time over which rates are taken (default 1; 0: no rates)", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = ls_parse,
		.args_doc = "[CHANNEL|FOLDER...]",
		.doc = "List channels as a tree with their taps: bytes a second, how full, what they "
		       "wait for, and who has them open.\vWithout an argument: every mount. Only channels that you may read or write are shown.",
	};
	struct ls_arguments a = { .interval = 1 };
	struct samples before = { 0 }, now = { 0 };
	bool failed = false;
	int err = 0;

	argument_parse(&argp, argc, argv, &a);
	if (a.interval > 0) {
		samples_take(&before, a.names, a.count, samples_complain, &failed);
		if (before.count)
			stats_file_wait(a.interval);
	}
	samples_take(&now, a.names, a.count, failed ? ls_ignore : samples_complain, &failed);
	samples_complain_of_none(&failed, &now, a.count);
	if (now.count || !failed) {
		samples_follow(&now, &before);
		err = ls_print(&now);
	}
	samples_free(&before);
	samples_free(&now);
	if (err < 0)
		complaint_print_errno("output", err);
	return failed || err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_ls = { "ls", "list channels and taps, with rates and fill", ls_run };
