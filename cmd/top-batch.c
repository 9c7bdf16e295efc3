#include "top-batch.h"

#include <errno.h>
#include <stdio.h>

#include "size.h"
#include "table.h"

static const struct column top_batch_columns[TOP_COLUMNS] = {
	[TOP_NAME] = { "NAME", 0 },
	[TOP_IN] = { "IN/S", SCOLS_FL_RIGHT },
	[TOP_OUT] = { "OUT/S", SCOLS_FL_RIGHT },
	[TOP_FILL] = { "FILL", SCOLS_FL_RIGHT },
	[TOP_WAITING] = { "WAIT", SCOLS_FL_RIGHT },
	[TOP_LOST] = { "LOST", SCOLS_FL_RIGHT },
	[TOP_DROPS] = { "DROPS", SCOLS_FL_RIGHT },
	[TOP_READERS] = { "RD", SCOLS_FL_RIGHT },
	[TOP_WRITERS] = { "WR", SCOLS_FL_RIGHT },
	[TOP_PEERS] = { "PEERS", SCOLS_FL_RIGHT },
	[TOP_STATE] = { "STATE", 0 },
};

static int top_batch_print_row(struct libscols_table *table, const struct top_row *row)
{
	struct libscols_line *line = table_line(table, NULL);

	if (!line)
		return -ENOMEM;
	table_text(line, TOP_NAME, "%*s%s", 2 * (int)row->level, "", row->leaf);
	for (size_t i = TOP_NAME + 1; i < TOP_STATE; i++)
		if (i == TOP_FILL && row->value[i] >= 0)
			table_text(line, i, "%d%%", (int)row->value[i]);
		else
			table_bytes(line, i, row->value[i]);
	table_text(line, TOP_STATE, "%s", row->state);
	return 0;
}

int top_batch_print(const struct top_model *m)
{
	struct libscols_table *table = table_new(top_batch_columns, TOP_COLUMNS);
	struct top_totals t = top_model_totals(m);
	char in[SIZE_TEXT_MAX], out[SIZE_TEXT_MAX], lost[SIZE_TEXT_MAX];
	int err = table ? 0 : -ENOMEM;

	for (size_t i = 0; err == 0 && i < m->rows.visible; i++)
		err = top_batch_print_row(table, m->rows.shown[i]);
	if (err == 0) {
		printf("%zu channels, %zu taps, %zu ports  in %s/s  out %s/s  lost %s\n", t.channels, t.taps, t.ports,
		       t.in < 0 ? "-" : size_print_round(in, t.in), t.out < 0 ? "-" : size_print_round(out, t.out),
		       size_print_round(lost, t.lost));
		printf("%s\n", m->note);
		scols_print_table(table);
		putchar('\n');
	}
	scols_unref_table(table);
	return err;
}
