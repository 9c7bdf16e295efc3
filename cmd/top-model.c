#include "top-model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "place.h"
#include "printable.h"

static void note(struct top_model *m, const char *what, int err)
{
	char *text = printable(what);

	/* The first one is shown. */
	if (m->missing++ == 0)
		snprintf(m->note, sizeof(m->note), "%.180s: %s", text ? text : "?", place_reason(err));
	free(text);
}

/* Those that were there and are no more. */
static int note_gone(struct top_model *m, const struct mounts *mounts)
{
	for (size_t i = 0; i < m->seen.count; i++)
		if (!mounts_have(mounts, m->seen.roots[i]))
			note(m, m->seen.roots[i], ENOTCONN);
	for (size_t i = 0; i < mounts->count; i++) {
		int err = mounts_have(&m->seen, mounts->roots[i]) ? 0 : mounts_add(&m->seen, mounts->roots[i]);

		if (err)
			return err;
	}
	return 0;
}

static int look(struct top_model *m, struct samples *list)
{
	struct mounts mounts = { 0 };
	int err = mounts_find(&mounts);

	for (int i = 0; !err && i < m->count; i++) {
		int failed = samples_add(list, m->folders[i]);

		if (failed == ENOMEM)
			err = failed;
		else if (failed)
			note(m, m->folders[i], failed);
	}
	for (size_t i = 0; !err && !m->count && i < mounts.count; i++) {
		int failed = samples_add_tree(list, mounts.roots[i]);

		if (failed == ENOMEM)
			err = failed;
		else if (failed)
			note(m, mounts.roots[i], failed);
	}
	if (!err && !m->count)
		err = note_gone(m, &mounts);
	mounts_free(&mounts);
	return err;
}

static void describe(struct top_model *m, const struct samples *list)
{
	const char *root = samples_root(list);
	char *text = root ? printable(root) : NULL;

	snprintf(m->note, sizeof(m->note), "%s", text ? text : list->count ? "several mounts" :
		 m->count || m->seen.count ? "no channels" : "no mount of spfs");
	free(text);
}

int top_model_refresh(struct top_model *m)
{
	struct samples list = { 0 };
	int err;

	m->note[0] = '\0';
	m->missing = 0;
	err = look(m, &list);
	if (err) {
		samples_free(&list);
		return err;
	}
	samples_add_ports(&list);
	samples_follow(&list, &m->samples);
	if (!m->missing)
		describe(m, &list);
	top_rows_free(&m->rows);
	samples_free(&m->samples);
	m->samples = list;
	m->at = clock_now();
	err = top_rows_make(&m->rows, &m->samples);
	top_model_arrange(m);
	return err;
}

void top_model_arrange(struct top_model *m)
{
	top_rows_arrange(&m->rows, &m->view);
}

static void sum(double *total, double part)
{
	if (part >= 0)
		*total = (*total < 0 ? 0 : *total) + part;
}

struct top_totals top_model_totals(const struct top_model *m)
{
	struct top_totals t = { .in = -1, .out = -1 };

	for (size_t i = 0; i < m->rows.count; i++) {
		const struct top_row *row = m->rows.all[i];

		t.channels += row->kind == TOP_CHANNEL;
		t.taps += row->kind == TOP_TAP;
		t.ports += row->kind == TOP_SOURCE || row->kind == TOP_SINK;
		if (row->kind != TOP_CHANNEL)
			continue;
		sum(&t.in, row->value[TOP_IN]);
		sum(&t.out, row->value[TOP_OUT]);
		sum(&t.lost, row->value[TOP_LOST]);
	}
	return t;
}

void top_model_free(struct top_model *m)
{
	top_rows_free(&m->rows);
	samples_free(&m->samples);
	mounts_free(&m->seen);
}
