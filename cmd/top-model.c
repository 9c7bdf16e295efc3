/*
 * What could not be looked at is noted, and tried again at the next refresh: a daemon may come back. Only want of
 * memory ends it.
 */
#include "top-model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "place.h"
#include "text.h"

/* A samples_failed. */
static void top_model_note(void *data, const char *what, int err)
{
	struct top_model *m = data;

	/* The first one is shown. */
	if (m->missing++ == 0)
		text_format(m->note, sizeof(m->note), "%.180s: %s", what, place_reason(err));
}

/* Those that were there and are no more. */
static int top_model_note_gone(struct top_model *m)
{
	struct mounts mounts = { 0 };
	int err = mounts_find(&mounts);

	for (size_t i = 0; err == 0 && i < m->seen.count; i++)
		if (!mounts_have(&mounts, m->seen.all[i].root))
			top_model_note(m, m->seen.all[i].root, -ENOTCONN);
	for (size_t i = 0; err == 0 && i < mounts.count; i++)
		if (!mounts_have(&m->seen, mounts.all[i].root))
			err = mounts_add(&m->seen, &mounts.all[i]);
	mounts_free(&mounts);
	return err == -ENOMEM ? err : 0; /* else samples_take() has told of it */
}

static void top_model_describe(struct top_model *m, const struct samples *list)
{
	const char *root = samples_root(list);

	text_format(m->note, sizeof(m->note), "%s",
		    root                      ? root :
		    list->count               ? "several mounts" :
		    m->count || m->seen.count ? "no channels" :
						"no mount of spfs");
}

int top_model_refresh(struct top_model *m)
{
	struct samples list = { 0 };
	int err = 0;

	m->note[0] = '\0';
	m->missing = 0;
	samples_take(&list, m->names, m->count, top_model_note, m);
	if (!m->count)
		err = top_model_note_gone(m);
	if (err < 0) {
		samples_free(&list);
		return err;
	}
	samples_follow(&list, &m->samples);
	if (!m->missing)
		top_model_describe(m, &list);
	top_rows_free(&m->rows);
	samples_free(&m->samples);
	m->samples = list;
	m->at = clock_nsec();
	err = top_rows_make(&m->rows, &m->samples);
	top_model_arrange(m);
	return err;
}

void top_model_arrange(struct top_model *m)
{
	top_rows_arrange(&m->rows, &m->view);
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
		top_rows_sum(&t.in, row->value[TOP_IN]);
		top_rows_sum(&t.out, row->value[TOP_OUT]);
		top_rows_sum(&t.lost, row->value[TOP_LOST]);
	}
	return t;
}

void top_model_free(struct top_model *m)
{
	top_rows_free(&m->rows);
	samples_free(&m->samples);
	mounts_free(&m->seen);
}
