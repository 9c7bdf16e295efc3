/*
 * Rows point into the samples that they were made of and to their parents, and are made anew at each refresh; a row is
 * found again by its id. Rows of the same parent keep the order in which they were found where the view does not tell.
 */
#include "top-rows.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"
#include "text.h"

static const char *top_rows_text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static double top_rows_number(const json_t *object, const char *key)
{
	const json_t *n = json_object_get(object, key);

	return json_is_integer(n) ? (double)json_integer_value(n) : -1;
}

/* A copy, fit for a terminal; NULL: out of memory. */
static char *top_rows_clean(const char *text)
{
	char *copy = strdup(text);

	if (copy)
		text_clean(copy);
	return copy;
}

/* Takes @id, the name with the mount point. @leaf: NULL: the name. Returns NULL when out of memory. */
static struct top_row *top_rows_add(struct top_rows *rows, enum top_kind kind, const struct sample *s,
				    const struct top_row *parent, char *id, const char *leaf)
{
	struct top_row *row = calloc(1, sizeof(*row));
	struct top_row **all = realloc(rows->all, (rows->count + 1) * sizeof(struct top_row *));

	if (all)
		rows->all = all;
	if (row) {
		row->name = id ? top_rows_clean(id + (rows->alone ? strlen(s->root) : 0)) : NULL;
		row->leaf = leaf ? top_rows_clean(leaf) : row->name ? strdup(row->name) : NULL;
	}
	if (!row || !all || !row->name || !row->leaf) {
		if (row) {
			free(row->name);
			free(row->leaf);
		}
		free(row);
		free(id);
		return NULL;
	}
	row->kind = kind;
	row->sample = s;
	row->parent = parent;
	row->level = parent ? parent->level + 1 : 0;
	row->id = id;
	row->index = rows->count;
	for (size_t i = 0; i < TOP_COLUMNS; i++)
		row->value[i] = -1;
	rows->all[rows->count++] = row;
	return row;
}

__attribute__((format(printf, 1, 2))) static char *top_rows_join(const char *fmt, ...)
{
	char *joined = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&joined, fmt, ap) < 0)
		joined = NULL;
	va_end(ap);
	return joined;
}

/* What channels and taps have in common. */
static void top_rows_count(struct top_row *row, const json_t *stats)
{
	double size = top_rows_number(stats, "size"), waiting = top_rows_number(stats, "waiting");

	row->value[TOP_WAITING] = waiting;
	row->value[TOP_FILL] = top_rows_number(stats, "fill");
	if (row->value[TOP_FILL] < 0 && size > 0 && waiting >= 0)
		row->value[TOP_FILL] = waiting >= size ? 100 : waiting * 100 / size;
	row->value[TOP_READERS] = top_rows_number(stats, "readers");
	row->value[TOP_WRITERS] = top_rows_number(stats, "writers");
	row->value[TOP_LOST] = top_rows_number(stats, "lost");
	row->value[TOP_DROPS] = top_rows_number(stats, "drops");
}

void top_rows_sum(double *total, double part)
{
	if (part >= 0)
		*total = (*total < 0 ? 0 : *total) + part;
}

static struct top_row *top_rows_add_port(struct top_rows *rows, struct top_row *above, const struct sample *s,
					 const json_t *port)
{
	bool source = !strcmp(top_rows_text(port, "dir"), "source");
	json_int_t id = json_integer_value(json_object_get(port, "id"));
	char *leaf = top_rows_join("%s %s", source ? "<-" : "->", top_rows_text(port, "uri"));
	char *name = top_rows_join("%s %s #%lld", above->id, leaf ? leaf : "", (long long)id);
	struct top_row *row = NULL;

	if (leaf)
		row = top_rows_add(rows, source ? TOP_SOURCE : TOP_SINK, s, above, name, leaf);
	else
		free(name);
	free(leaf);
	if (!row)
		return NULL;
	row->value[source ? TOP_IN : TOP_OUT] = sample_rate(s, port, sample_port_before(s, id), "bytes");
	row->value[TOP_LOST] = top_rows_number(port, "lost");
	row->value[TOP_DROPS] = top_rows_number(port, "dropped");
	if (top_rows_number(port, "clients") > 0)
		row->value[TOP_PEERS] = top_rows_number(port, "connected");
	state_of_port(row->state, port);
	top_rows_sum(&above->value[TOP_PEERS], 1);
	return row;
}

/* The ports that are attached by the name @name; NULL: those of the channel that are of no tap in @taps. */
static int top_rows_add_ports(struct top_rows *rows, struct top_row *above, const struct sample *s, const char *name,
			      const json_t *taps)
{
	json_t *port, *tap;
	size_t i, t;

	json_array_foreach(json_object_get(s->stats, "ports"), i, port) {
		const char *of = top_rows_text(port, "name");
		bool here = !name;

		if (name)
			here = !strcmp(of, name);
		else
			json_array_foreach((json_t *)(void *)taps, t, tap)
				here = here && strcmp(top_rows_text(tap, "name"), of);
		if (here && !top_rows_add_port(rows, above, s, port))
			return -ENOMEM;
	}
	return 0;
}

static int top_rows_add_tap(struct top_rows *rows, struct top_row *channel, const struct sample *s, const json_t *tap)
{
	const char *name = top_rows_text(tap, "name");
	struct top_row *row = top_rows_add(rows, TOP_TAP, s, channel, top_rows_join("%s%s", s->root, name),
					   sample_leaf(top_rows_text(s->stats, "channel"), name));

	if (!row)
		return -ENOMEM;
	top_rows_count(row, tap);
	state_of_tap(row->state, s, tap);
	row->value[TOP_OUT] = sample_rate(s, tap, sample_tap_before(s, name), "bytes_out");
	top_rows_sum(&channel->value[TOP_OUT], row->value[TOP_OUT]);
	top_rows_sum(&channel->value[TOP_DROPS], row->value[TOP_DROPS]);
	return top_rows_add_ports(rows, row, s, name, NULL);
}

static int top_rows_add_channel(struct top_rows *rows, const struct sample *s)
{
	const json_t *taps = json_object_get(s->stats, "taps"), *tap;
	struct top_row *row = top_rows_add(rows, TOP_CHANNEL, s, NULL, strdup(s->path), NULL);
	int err = row ? 0 : -ENOMEM;
	size_t i;

	if (!row)
		return -ENOMEM;
	top_rows_count(row, s->stats);
	row->value[TOP_LOST] = sample_lost(s);
	state_of_channel(row->state, s);
	text_clean(row->state);
	row->value[TOP_IN] = sample_rate(s, s->stats, s->before, "bytes_in");
	json_array_foreach((json_t *)(void *)taps, i, tap)
		err = err ? err : top_rows_add_tap(rows, row, s, tap);
	return err ? err : top_rows_add_ports(rows, row, s, NULL, taps);
}

int top_rows_make(struct top_rows *rows, const struct samples *list)
{
	int err = 0;

	*rows = (struct top_rows){ .alone = samples_root(list) };
	for (size_t i = 0; !err && i < list->count; i++)
		err = top_rows_add_channel(rows, list->all[i]);
	rows->shown = calloc(rows->count + 1, sizeof(struct top_row *));
	return rows->shown ? err : -ENOMEM;
}

void top_rows_free(struct top_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->all[i]->id);
		free(rows->all[i]->name);
		free(rows->all[i]->leaf);
		free(rows->all[i]);
	}
	free(rows->all);
	free(rows->shown);
	*rows = (struct top_rows){ 0 };
}

/* ---- the view ---- */

static int top_rows_compare_values(const struct top_row *a, const struct top_row *b, const struct top_view *view)
{
	double x = a->value[view->sort], y = b->value[view->sort];
	int order;

	if (view->sort == TOP_NAME)
		order = strcmp(a->name, b->name);
	else if (view->sort == TOP_STATE)
		order = strcmp(a->state, b->state);
	else /* the largest number first */
		order = x < y ? 1 : x > y ? -1 : 0;
	if (order)
		return view->reverse ? -order : order;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* In a tree those are compared that have one parent, and what is below a row stands behind it. */
static int top_rows_compare(const void *left, const void *right, void *data)
{
	const struct top_row *a = *(struct top_row *const *)left, *b = *(struct top_row *const *)right;
	const struct top_view *view = data;
	unsigned deep = a->level, other = b->level;

	if (view->flat)
		return top_rows_compare_values(a, b, view);
	while (a->level > b->level)
		a = a->parent;
	while (b->level > a->level)
		b = b->parent;
	if (a == b)
		return deep < other ? -1 : deep > other;
	while (a->parent != b->parent) {
		a = a->parent;
		b = b->parent;
	}
	return top_rows_compare_values(a, b, view);
}

void top_rows_arrange(struct top_rows *rows, const struct top_view *view)
{
	bool all = !*view->filter;

	/* Parents come before what is below them. */
	for (size_t i = 0; i < rows->count; i++) {
		struct top_row *row = rows->all[i];

		row->shown = all || strcasestr(row->name, view->filter) ||
			     (!view->flat && row->parent && row->parent->shown);
	}
	for (size_t i = rows->count; !view->flat && i-- > 0;)
		if (rows->all[i]->shown && rows->all[i]->parent)
			rows->all[rows->all[i]->parent->index]->shown = true;
	rows->visible = 0;
	for (size_t i = 0; rows->shown && i < rows->count; i++)
		if (rows->all[i]->shown)
			rows->shown[rows->visible++] = rows->all[i];
	if (rows->visible)
		qsort_r(rows->shown, rows->visible, sizeof(struct top_row *), top_rows_compare,
			(void *)(uintptr_t)view);
}
