#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "size.h"
#include "text.h"

#define TABLE_BAR 10

struct libscols_table *table_new(const struct column *columns, size_t count)
{
	struct libscols_table *table = scols_new_table();

	for (size_t i = 0; table && i < count; i++)
		if (!scols_table_new_column(table, columns[i].title, 0, columns[i].flags)) {
			scols_unref_table(table);
			return NULL;
		}
	return table;
}

struct libscols_line *table_line(struct libscols_table *table, struct libscols_line *parent)
{
	return scols_table_new_line(table, parent);
}

void table_text(struct libscols_line *line, size_t column, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = text_vprint(fmt, ap);
	va_end(ap);
	if (text)
		scols_line_refer_data(line, column, text);
}

void table_bytes(struct libscols_line *line, size_t column, double bytes)
{
	char text[SIZE_TEXT_MAX];

	table_text(line, column, "%s", bytes < 0 ? "-" : size_print_round(text, bytes));
}

static json_int_t table_value(const json_t *object, const char *key)
{
	const json_t *n = json_object_get(object, key);

	return json_is_integer(n) ? json_integer_value(n) : -1;
}

void table_number(struct libscols_line *line, size_t column, const json_t *object, const char *key)
{
	json_int_t n = table_value(object, key);

	if (n < 0)
		table_text(line, column, "-");
	else
		table_text(line, column, "%" JSON_INTEGER_FORMAT, n);
}

void table_size(struct libscols_line *line, size_t column, const json_t *object, const char *key)
{
	table_bytes(line, column, (double)table_value(object, key));
}

void table_fill(struct libscols_line *line, size_t column, const json_t *object)
{
	json_int_t fill = table_value(object, "fill"); /* null: not known; an older daemon has none */
	json_int_t size = table_value(object, "size");
	json_int_t waiting = table_value(object, "waiting");
	char bar[TABLE_BAR + 1];
	int percent;

	if (fill < 0 && size <= 0)
		return;
	percent = fill >= 0 ? (int)fill : waiting >= size ? 100 : (int)(waiting * 100 / size);
	for (int i = 0; i < TABLE_BAR; i++)
		bar[i] = i * 100 < percent * TABLE_BAR ? '#' : '.';
	bar[TABLE_BAR] = '\0';
	table_text(line, column, "%s %3d%%", bar, percent);
}

int table_print(struct libscols_table *table)
{
	int err = scols_print_table(table);

	scols_unref_table(table);
	return err;
}
