/*
 * Nodes are called by their place in the stats, c0, c0t1, c0p1, and names appear in labels alone. A label's
 * backslashes and entities mean something to Graphviz, and control characters nothing to XML: topology_label() knows.
 */
#include "topology.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow.h"
#include "port-report.h"
#include "size.h"
#include "text.h"

#define GREY "#9aa0a6"
#define RED "#c5221f"
#define BLUE "#1a73e8"

struct graph {
	FILE *out;
	json_t *before; /* channels by topology_key_of(); NULL: there are no rates */
	double seconds;
};

/* ---- text ---- */

/* Writes @text as a part of a quoted label. */
static void topology_label(FILE *out, const char *text)
{
	char mark[TEXT_MARK_MAX];
	size_t n;

	for (; *text; text += n) {
		n = text_next(text, mark);
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*mark) /* it begins with a backslash */
			fprintf(out, "\\%s", mark);
		else if (!strncmp(text, "\xef\xbf\xbe", n) || !strncmp(text, "\xef\xbf\xbf", n)) /* are not XML */
			fputs("\\\\uffff", out);
		else
			fwrite(text, 1, n, out);
	}
}

static void topology_bytes(FILE *out, double n)
{
	char text[SIZE_TEXT_MAX];

	fputs(size_print_round(text, n), out);
}

static const char *topology_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static json_int_t topology_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static bool topology_is(const json_t *object, enum flow flow)
{
	return !strcmp(topology_string(object, "flow"), flow_word(flow));
}

/* ---- rates ---- */

/* What a channel is found by in the earlier stats. */
static const char *topology_key_of(const json_t *channel)
{
	const char *name = topology_string(channel, "channel");

	return *name ? name : topology_string(json_array_get(json_object_get(channel, "taps"), 0), "name");
}

static json_t *topology_by_key(const json_t *stats)
{
	json_t *index = json_object(), *channel;
	size_t i;

	json_array_foreach(json_object_get(stats, "channels"), i, channel)
		json_object_set(index, topology_key_of(channel), channel);
	return index;
}

/* The member of @list that has the same @key as @now. */
static const json_t *topology_same(const json_t *list, const json_t *now, const char *key)
{
	const json_t *sought = json_object_get(now, key);
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		if (json_equal(json_object_get(one, key), sought))
			return one;
	return NULL;
}

/* The end of an edge: what has gone over it, or goes each second, @key of @now. */
static void topology_edge_end(const struct graph *g, const json_t *now, const json_t *before, const char *key)
{
	const json_t *n = json_object_get(now, key), *b = json_object_get(before, key);
	double rate;

	if (!json_is_integer(n) || (g->before && !json_is_integer(b))) {
		fputs("];\n", g->out);
		return;
	}
	if (!g->before) {
		fputs("label=\"", g->out);
		topology_bytes(g->out, (double)json_integer_value(n));
		fputs("\"];\n", g->out);
		return;
	}
	rate = (double)(json_integer_value(n) - json_integer_value(b)) / g->seconds;
	fputs("label=\"", g->out);
	topology_bytes(g->out, rate > 0 ? rate : 0);
	fprintf(g->out, "/s\"%s];\n", rate > 0 ? ", color=\"" BLUE "\", penwidth=2" : "");
}

/* ---- parts ---- */

/* That it holds the writer back, and since when: @date, in seconds since the epoch. */
static void topology_blocks(const struct graph *g, const char *what, const json_t *date)
{
	time_t when = (time_t)json_number_value(date);
	char text[64];
	struct tm tm;

	fprintf(g->out, "\\n%s", what);
	if (!json_is_number(date) || !gmtime_r(&when, &tm))
		return;
	strftime(text, sizeof(text), " since %F %T UTC", &tm);
	fputs(text, g->out);
}

/* What holds the writer of the channel @now back, in its label. */
static void topology_holder(const struct graph *g, const json_t *now)
{
	const json_t *holder = json_object_get(now, "held_by"), *port = json_object_get(holder, "port");

	if (!json_is_object(holder))
		return;
	topology_blocks(g, "blocked", json_object_get(holder, "since"));
	fputs("\\nby ", g->out);
	if (json_is_integer(port))
		fprintf(g->out, "sink %" JSON_INTEGER_FORMAT " ", json_integer_value(port));
	topology_label(g->out,
		       topology_string(holder, json_is_string(json_object_get(holder, "name")) ? "name" : "uri"));
}

/* How full: "12.0 KiB of 1.0 MiB". Ends the label. */
static void topology_fill_end(const struct graph *g, const json_t *now)
{
	if (topology_number(now, "size") > 0 && topology_number(now, "waiting") > 0) {
		fputs("\\n", g->out);
		topology_bytes(g->out, (double)topology_number(now, "waiting"));
		fputs(" of ", g->out);
		topology_bytes(g->out, (double)topology_number(now, "size"));
	}
	if (topology_is(now, FLOW_BLOCKS))
		topology_blocks(g, flow_word(FLOW_BLOCKS), json_object_get(now, "blocks_since"));
	topology_holder(g, now);
	if (topology_number(now, "lost") > 0) {
		fputs("\\nlost ", g->out);
		topology_bytes(g->out, (double)topology_number(now, "lost"));
	}
	if (topology_number(now, "lost") > 0 || topology_is(now, FLOW_BLOCKS) || topology_is(now, FLOW_BLOCKED))
		fputs("\", color=\"" RED, g->out);
	fputs("\"];\n", g->out);
}

static void topology_people(const struct graph *g, const char *node, const char *what, json_int_t n)
{
	fprintf(g->out, "\t%s [shape=plaintext, label=\"%" JSON_INTEGER_FORMAT " %s%s\"];\n", node, n, what,
		n == 1 ? "" : "s");
}

static void topology_tap(const struct graph *g, size_t c, size_t t, const json_t *now, const json_t *before)
{
	bool each = json_is_true(json_object_get(now, "each"));
	char node[64];

	fprintf(g->out, "\t\tc%zut%zu [shape=box, style=\"rounded,filled%s\", fillcolor=white, label=\"", c, t,
		each ? ",dashed" : "");
	topology_label(g->out, topology_string(now, "name"));
	topology_fill_end(g, now);
	fprintf(g->out, "\t\tc%zu -> c%zut%zu [", c, c, t);
	topology_edge_end(g, now, topology_same(json_object_get(before, "taps"), now, "name"), "bytes_out");
	if (topology_number(now, "readers") <= 0)
		return;
	snprintf(node, sizeof(node), "c%zut%zur", c, t);
	topology_people(g, node, "reader", topology_number(now, "readers"));
	fprintf(g->out, "\tc%zut%zu -> %s;\n", c, t, node);
}

/* The node of a port's name: the origin, or the tap of that name. */
static void topology_place(const struct graph *g, size_t c, const json_t *channel, const json_t *port)
{
	const json_t *name = json_object_get(port, "name");
	json_t *one;
	size_t t;

	fprintf(g->out, "c%zu", c);
	json_array_foreach(json_object_get(channel, "taps"), t, one)
		if (json_is_string(name) && json_equal(json_object_get(one, "name"), name)) {
			fprintf(g->out, "t%zu", t);
			return;
		}
}

static void topology_port(const struct graph *g, size_t c, size_t p, const json_t *channel, const json_t *now,
			  const json_t *before)
{
	const char *state = topology_string(now, "state");
	bool blocks = json_is_number(json_object_get(now, "blocks_since"));
	bool failed = !strcmp(state, port_state_name(PORT_FAILED)), done = !strcmp(state, port_state_name(PORT_DONE));

	fprintf(g->out, "\tc%zup%zu [shape=ellipse%s, label=\"", c, p,
		failed || blocks ? ", color=\"" RED "\"" :
		done             ? ", color=\"" GREY "\", fontcolor=\"" GREY "\"" :
				   "");
	topology_label(g->out, topology_string(now, "uri"));
	fputs("\\n", g->out);
	topology_label(g->out, state);
	if (blocks)
		topology_blocks(g, flow_word(FLOW_BLOCKS), json_object_get(now, "blocks_since"));
	fputs("\"];\n\t", g->out);
	if (strcmp(topology_string(now, "dir"), "source")) {
		topology_place(g, c, channel, now);
		fprintf(g->out, " -> c%zup%zu [", c, p);
	} else {
		fprintf(g->out, "c%zup%zu -> c%zu [", c, p, c);
	}
	fputs(done || failed ? "style=dashed, " : "", g->out);
	topology_edge_end(g, now, topology_same(json_object_get(before, "ports"), now, "id"), "bytes");
}

static void topology_channel(const struct graph *g, size_t c, const json_t *now)
{
	const json_t *before = g->before ? json_object_get(g->before, topology_key_of(now)) : NULL;
	const char *name = topology_string(now, "channel");
	json_t *one;
	char node[64];
	size_t i;

	fprintf(g->out, "\tsubgraph cluster_%zu {\n\t\tc%zu [shape=cds, style=filled, fillcolor=\"#e8f0fe\", label=\"",
		c, c);
	topology_label(g->out, *name ? name : "(origin gone)");
	topology_fill_end(g, now);
	json_array_foreach(json_object_get(now, "taps"), i, one)
		topology_tap(g, c, i, one, before);
	fputs("\t}\n", g->out);
	if (topology_number(now, "writers") > 0) {
		snprintf(node, sizeof(node), "c%zuw", c);
		topology_people(g, node, "writer", topology_number(now, "writers"));
		fprintf(g->out, "\t%s -> c%zu [", node, c);
		topology_edge_end(g, now, before, "bytes_in");
	}
	if (topology_number(now, "readers") > 0) {
		snprintf(node, sizeof(node), "c%zur", c);
		topology_people(g, node, "reader", topology_number(now, "readers"));
		fprintf(g->out, "\tc%zu -> %s;\n", c, node);
	}
	json_array_foreach(json_object_get(now, "ports"), i, one)
		topology_port(g, c, i, now, one, before);
}

char *topology_dot(const json_t *stats, const json_t *before, double seconds)
{
	struct graph g = { .seconds = seconds };
	json_t *one;
	char *text = NULL;
	size_t len, i;
	bool failed;

	g.out = open_memstream(&text, &len);
	if (!g.out)
		return NULL;
	if (before && seconds > 0)
		g.before = topology_by_key(before);
	fputs("digraph spfs {\n\trankdir=LR;\n\tlabelloc=t;\n\tlabel=\"", g.out);
	topology_label(g.out, topology_string(stats, "mount"));
	fputs("\";\n\tnode [fontname=\"sans-serif\", fontsize=11];\n\tedge [fontname=\"sans-serif\", fontsize=9];\n"
	      "\tgraph [fontname=\"sans-serif\", style=rounded, color=\"" GREY "\"];\n",
	      g.out);
	json_array_foreach(json_object_get(stats, "channels"), i, one)
		topology_channel(&g, i, one);
	fputs("}\n", g.out);
	json_decref(g.before);
	failed = ferror(g.out);
	if (fclose(g.out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}
