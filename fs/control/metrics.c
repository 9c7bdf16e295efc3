/*
 * All samples of a metric stand together, so the stats are gone through once a metric. What is null there is
 * unknown and left out. Names need not be unique, as they are shown; each channel and tap has a number besides, for
 * two samples with the same labels would have all of them refused.
 */
#include "metrics.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "port-report.h"
#include "text.h"

/* What there is a sample for each of. */
enum each { EACH_MOUNT, EACH_USER, EACH_CHANNEL, EACH_HOLDER, EACH_TAP, EACH_PORT };

struct metric {
	const char *name;
	const char *type;
	enum each each;
	const char *key;    /* in the object of what it is for */
	const char *labels; /* further ones */
	const char *help;   /* NULL: a further sample of the one before, under other labels */
};

static const struct metric metrics[] = {
	{ "uptime_seconds", "gauge", EACH_MOUNT, "uptime", "", "Time since the mount." },
	{ "workers", "gauge", EACH_MOUNT, "engine.workers", "", "Worker threads of the daemon." },
	{ "open_fds", "gauge", EACH_MOUNT, "engine.fds", "", "Descriptors that the daemon has open." },
	{ "max_fds", "gauge", EACH_MOUNT, "engine.fds_max", "", "Descriptors that the daemon may have open." },
	{ "user_quota_used_bytes", "gauge", EACH_USER, "used", "",
	  "Ring, depth and replay that a user's channels hold." },
	{ "user_quota_limit_bytes", "gauge", EACH_USER, "limit", "",
	  "What they may hold; absent: as much as there is." },
	{ "user_nodes", "gauge", EACH_USER, "nodes", "", "Names, folders and open files that a user has made." },
	{ "user_nodes_limit", "gauge", EACH_USER, "nodes_limit", "",
	  "How many they may have; absent: as many as there can be." },
	{ "user_descriptors", "gauge", EACH_USER, "descriptors", "",
	  "Descriptors of the daemon that what a user has made may take." },
	{ "user_descriptors_limit", "gauge", EACH_USER, "descriptors_limit", "",
	  "How many they may take; absent: as many as there are." },
	{ "channel_received_bytes_total", "counter", EACH_CHANNEL, "bytes_in", "", "Bytes taken from the origin." },
	{ "channel_waiting_bytes", "gauge", EACH_CHANNEL, "waiting", "", "Bytes waiting in the origin." },
	{ "channel_size_bytes", "gauge", EACH_CHANNEL, "size", "", "Capacity of the origin's ring." },
	{ "channel_streams_total", "counter", EACH_CHANNEL, "streams", "", "Streams that have ended." },
	{ "channel_chunks_total", "counter", EACH_CHANNEL, "chunks_ref", ",how=\"reference\"",
	  "Chunks moved by page reference and by copy." },
	{ "channel_chunks_total", NULL, EACH_CHANNEL, "chunks_copy", ",how=\"copy\"", NULL },
	{ "channel_lost_bytes_total", "counter", EACH_CHANNEL, "lost", "",
	  "Bytes lost with taps and ports that are gone, or because they could not be kept." },
	{ "channel_writers", "gauge", EACH_CHANNEL, "writers", "", "Descriptors that write to the origin." },
	{ "channel_readers", "gauge", EACH_CHANNEL, "readers", "", "Descriptors that read from the origin." },
	{ "channel_fill_percent", "gauge", EACH_CHANNEL, "fill", "",
	  "How full its ring is, in bytes or pages, whichever is more." },
	{ "channel_flow", "gauge", EACH_CHANNEL, "flow", "", "1 for what the channel's stream is at, 0 for the rest." },
	{ "channel_held_since_seconds", "gauge", EACH_HOLDER, "since", "",
	  "Since when (Unix time) the writer is held back, by the tap or sink in the labels; absent: it is not." },
	{ "tap_sent_bytes_total", "counter", EACH_TAP, "bytes_out", "", "Bytes handed to the tap's ring." },
	{ "tap_waiting_bytes", "gauge", EACH_TAP, "waiting", "", "Bytes that the tap holds for its reader." },
	{ "tap_size_bytes", "gauge", EACH_TAP, "size", "", "Bytes that the tap can hold." },
	{ "tap_dropped_bytes_total", "counter", EACH_TAP, "lost", "", "Bytes that the tap has dropped." },
	{ "tap_drops_total", "counter", EACH_TAP, "drops", "", "How often the tap has dropped." },
	{ "tap_readers", "gauge", EACH_TAP, "readers", "", "Descriptors that read from the tap." },
	{ "tap_fill_percent", "gauge", EACH_TAP, "fill", "",
	  "How full the tap is, in bytes or pages, whichever is more." },
	{ "tap_flow", "gauge", EACH_TAP, "flow", "", "1 for what the tap's stream is at, 0 for the rest." },
	{ "tap_blocks_since_seconds", "gauge", EACH_TAP, "blocks_since", "",
	  "Since when (Unix time) the tap holds the writer back; absent: it does not." },
	{ "port_moved_bytes_total", "counter", EACH_PORT, "bytes", "", "Bytes that a source or sink has moved." },
	{ "port_copies_total", "counter", EACH_PORT, "copies", "", "Calls that copied through the daemon's memory." },
	{ "port_dropped_frames_total", "counter", EACH_PORT, "dropped", "", "Frames that a camera has dropped." },
	{ "port_clients", "gauge", EACH_PORT, "connected", "", "Clients of a listening sink." },
	{ "port_lost_bytes_total", "counter", EACH_PORT, "lost", "",
	  "Bytes that it has lost, or its clients have missed." },
	{ "port_blocks_since_seconds", "gauge", EACH_PORT, "blocks_since", "",
	  "Since when (Unix time) a sink holds the writer back; absent: it does not." },
	{ "port_state", "gauge", EACH_PORT, "state", "", "1 for the state that a source or sink is in." },
};

/* ---- text ---- */

/* @name="@text". The format has three escapes, so what is not fit for a terminal becomes text: a backslash, "x1b". */
static void metrics_label(FILE *out, const char *name, const char *text)
{
	char mark[TEXT_MARK_MAX];
	size_t n;

	fprintf(out, "%s=\"", name);
	for (; text && *text; text += n) {
		n = text_next(text, mark);
		if (*text == '\n')
			fputs("\\n", out);
		else if (*mark || *text == '"' || *text == '\\') /* a mark begins with a backslash of its own */
			fprintf(out, "\\%s", *mark ? mark : *text == '"' ? "\"" : "\\");
		else
			fwrite(text, 1, n, out);
	}
	fputc('"', out);
}

static const char *metrics_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static json_int_t metrics_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void metrics_channel_labels(FILE *out, const json_t *channel)
{
	metrics_label(out, "channel", metrics_string(channel, "channel"));
	fprintf(out, ",inode=\"%" JSON_INTEGER_FORMAT "\"", metrics_number(channel, "inode"));
}

static void metrics_port_labels(FILE *out, const json_t *port)
{
	fprintf(out, ",port=\"%" JSON_INTEGER_FORMAT "\",", metrics_number(port, "id"));
	metrics_label(out, "dir", metrics_string(port, "dir"));
	fputc(',', out);
	metrics_label(out, "uri", metrics_string(port, "uri"));
}

/* A sample of @m for @one, which is of @channel unless that is NULL. */
static void metrics_sample(FILE *out, const struct metric *m, const json_t *channel, const json_t *one,
			   const char *state)
{
	const json_t *value = json_object_get(one, m->key);

	if (state ? !json_is_string(value) : !json_is_number(value))
		return;
	fprintf(out, "spfs_%s{", m->name);
	if (m->each == EACH_USER)
		fprintf(out, "uid=\"%" JSON_INTEGER_FORMAT "\"", metrics_number(one, "uid"));
	else
		metrics_channel_labels(out, channel);
	if (m->each == EACH_TAP || m->each == EACH_HOLDER) {
		fputc(',', out);
		metrics_label(out, "tap", metrics_string(one, "name"));
	}
	if (m->each == EACH_TAP)
		fprintf(out, ",id=\"%" JSON_INTEGER_FORMAT "\"", metrics_number(one, "id"));
	if (m->each == EACH_PORT)
		metrics_port_labels(out, one);
	if (m->each == EACH_HOLDER && json_is_integer(json_object_get(one, "port"))) {
		fprintf(out, ",port=\"%" JSON_INTEGER_FORMAT "\",", metrics_number(one, "port"));
		metrics_label(out, "uri", metrics_string(one, "uri"));
	}
	if (state)
		fprintf(out, ",state=\"%s\"} %d\n", state, !strcmp(state, json_string_value(value)));
	else if (json_is_real(value))
		fprintf(out, "%s} %.3f\n", m->labels, json_real_value(value));
	else
		fprintf(out, "%s} %" JSON_INTEGER_FORMAT "\n", m->labels, json_integer_value(value));
}

/* ---- metrics ---- */

static void metrics_of_mount(FILE *out, const struct metric *m, const json_t *stats)
{
	const char *dot = strchr(m->key, '.');
	const json_t *value = dot ? json_object_get(json_object_get(stats, "engine"), dot + 1) :
				    json_object_get(stats, m->key);

	if (json_is_number(value))
		fprintf(out, "spfs_%s %.*f\n", m->name, json_is_real(value) ? 3 : 0, json_number_value(value));
}

/* A state has a sample for each word that it may be. */
static void metrics_of_one(FILE *out, const struct metric *m, const json_t *channel, const json_t *one)
{
	if (!strcmp(m->key, "state"))
		for (int state = 0; state < PORT_STATES; state++)
			metrics_sample(out, m, channel, one, port_state_name((enum port_state)state));
	else if (!strcmp(m->key, "flow"))
		for (int flow = 0; flow < FLOWS; flow++)
			metrics_sample(out, m, channel, one, flow_word((enum flow)flow));
	else
		metrics_sample(out, m, channel, one, NULL);
}

static void metrics_of_channels(FILE *out, const struct metric *m, const json_t *stats)
{
	json_t *channel, *one;
	size_t i, j;

	json_array_foreach(json_object_get(stats, "channels"), i, channel) {
		if (m->each == EACH_CHANNEL)
			metrics_of_one(out, m, channel, channel);
		if (m->each == EACH_HOLDER)
			metrics_of_one(out, m, channel, json_object_get(channel, "held_by"));
		if (m->each == EACH_TAP)
			json_array_foreach(json_object_get(channel, "taps"), j, one)
				metrics_of_one(out, m, channel, one);
		if (m->each == EACH_PORT)
			json_array_foreach(json_object_get(channel, "ports"), j, one)
				metrics_of_one(out, m, channel, one);
	}
}

static void metrics_of_users(FILE *out, const struct metric *m, const json_t *stats)
{
	json_t *user;
	size_t i;

	json_array_foreach(json_object_get(stats, "users"), i, user)
		metrics_sample(out, m, NULL, user, NULL);
}

static void metrics_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP spfs_%s %s\n# TYPE spfs_%s %s\n", name, help, name, type);
}

char *metrics_text(const json_t *stats)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool failed;

	if (!out)
		return NULL;
	metrics_head(out, "build_info", "gauge", "Always 1; the version is the label.");
	fputs("spfs_build_info{", out);
	metrics_label(out, "version", metrics_string(stats, "version"));
	fputs("} 1\n", out);
	metrics_head(out, "channels", "gauge", "Channels told of here.");
	fprintf(out, "spfs_channels %zu\n", json_array_size(json_object_get(stats, "channels")));
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		const struct metric *m = &metrics[i];

		if (m->help)
			metrics_head(out, m->name, m->type, m->help);
		if (m->each == EACH_MOUNT)
			metrics_of_mount(out, m, stats);
		else if (m->each == EACH_USER)
			metrics_of_users(out, m, stats);
		else
			metrics_of_channels(out, m, stats);
	}
	failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}
