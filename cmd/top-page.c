#include "top-page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static void top_page_clear(struct top_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		free(page->lines[i]);
	page->count = 0;
}

__attribute__((format(printf, 2, 3))) static void top_page_add(struct top_page *page, const char *fmt, ...)
{
	char **lines = realloc(page->lines, (page->count + 1) * sizeof(*lines));
	va_list ap;

	if (!lines)
		return;
	page->lines = lines;
	va_start(ap, fmt);
	lines[page->count] = text_vprint(fmt, ap);
	va_end(ap);
	page->count += lines[page->count] != NULL;
}

void top_page_help(struct top_page *page)
{
	static const char *const help[] = {
		"Keys",
		"  q F10 ^C         quit",
		"  h ? F1           this help",
		"  Up Down PgUp PgDn Home End   move",
		"  Enter            details of the channel: counters, settings, taps, sources and sinks",
		"  < > F6           sort by the column to the left, to the right",
		"  r I              reverse the order",
		"  t F5             tree, or all in one order",
		"  / F4             show only names with a text in them; empty: all",
		"  F3 n             search a name; the next one",
		"  Space            pause",
		"  ^L               draw the screen anew",
		"  d s              seconds between refreshes",
		"",
		"Columns",
		"  IN/S OUT/S       bytes a second",
		"  FILL WAIT        how full, in bytes or pages, and bytes waiting for a reader",
		"  STATE            what it is at; what holds the writer back, and for how long",
		"  LOST DROPS       bytes lost, and how often",
		"  RD WR            processes' open readers and writers",
		"  PEERS            sources and sinks; of a listening one its clients",
		"  -                not known: a channel without taps is moved by the kernel alone",
		"",
		"q, Esc or Enter: back",
	};

	top_page_clear(page);
	for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++)
		top_page_add(page, "%s", help[i]);
}

/* Numbers and texts first, then what has parts. */
static void top_page_add_json(struct top_page *page, const json_t *json, int indent)
{
	const char *key;
	json_t *value, *item;
	size_t i;

	json_object_foreach((json_t *)(void *)json, key, value) {
		if (json_is_string(value))
			top_page_add(page, "%*s%-16s %s", indent, "", key, json_string_value(value));
		else if (json_is_integer(value))
			top_page_add(page, "%*s%-16s %" JSON_INTEGER_FORMAT, indent, "", key,
				     json_integer_value(value));
		else if (json_is_boolean(value))
			top_page_add(page, "%*s%-16s %s", indent, "", key, json_is_true(value) ? "yes" : "no");
	}
	json_object_foreach((json_t *)(void *)json, key, value) {
		if (json_is_object(value)) {
			top_page_add(page, "%*s%s", indent, "", key);
			top_page_add_json(page, value, indent + 2);
		}
		json_array_foreach(value, i, item) {
			top_page_add(page, "%*s%s %zu", indent, "", key, i + 1);
			top_page_add_json(page, item, indent + 2);
		}
	}
}

void top_page_details(struct top_page *page, const struct sample *s)
{
	top_page_clear(page);
	top_page_add(page, "%s", s->path);
	top_page_add_json(page, s->stats, 2);
	top_page_add(page, "%s", "");
	top_page_add(page, "q, Esc or Enter: back");
}

void top_page_free(struct top_page *page)
{
	top_page_clear(page);
	free(page->lines);
	*page = (struct top_page){ 0 };
}
