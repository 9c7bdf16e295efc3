/* What a command prints: for people, tables of libsmartcols and numbers as they read them; for programs, JSON. */
#pragma once

#include <jansson.h>
#include <libsmartcols.h>

struct column {
	const char *title;
	int flags; /* SCOLS_FL_* */
};

/* A new table with those columns; NULL: out of memory. */
struct libscols_table *table_new(const struct column *columns, size_t count);

/* A line below @parent (NULL: at the top); NULL: out of memory. */
struct libscols_line *table_line(struct libscols_table *table, struct libscols_line *parent);

/* Made fit for a terminal. */
void table_text(struct libscols_line *line, size_t column, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Bytes with a binary suffix: 512, 1.5K, 20M; "-" below 0. */
void table_bytes(struct libscols_line *line, size_t column, double bytes);

/* A number of @object, "-" where it is null or missing. */
void table_number(struct libscols_line *line, size_t column, const json_t *object, const char *key);

/* The same, as bytes. */
void table_size(struct libscols_line *line, size_t column, const json_t *object, const char *key);

/* "fill", or "waiting" of "size", as a bar and a percentage; empty where it is unknown. */
void table_fill(struct libscols_line *line, size_t column, const json_t *object);

/* Prints the table and frees it. Returns 0 or a negative errno. */
int table_print(struct libscols_table *table);
