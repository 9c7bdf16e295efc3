#include "state.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "flow.h"
#include "port-report.h"

static const char *state_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Appends for how long it has been so, since the @date in seconds since the epoch; nothing where that is not known. */
static void state_add_time(char text[STATE_TEXT_MAX], const json_t *date)
{
	size_t n = strlen(text);
	double s = (double)clock_now() / NSEC_PER_SEC - json_number_value(date);

	if (!json_is_number(date))
		return;
	snprintf(text + n, STATE_TEXT_MAX - n, " for %.*f %s", s < 9.95 ? 1 : 0,
		 s < 0         ? 0 :
		 s < 120       ? s :
		 s < 7200      ? s / 60 :
		 s < 2 * 86400 ? s / 3600 :
				 s / 86400,
		 s < 120       ? "s" :
		 s < 7200      ? "min" :
		 s < 2 * 86400 ? "h" :
				 "days");
}

/* Whether @key has grown. */
static bool state_moves(const json_t *now, const json_t *before, const char *key)
{
	const json_t *a = json_object_get(now, key), *b = json_object_get(before, key);

	return json_is_integer(a) && json_is_integer(b) && json_integer_value(a) > json_integer_value(b);
}

static bool state_is(const char *word, enum flow flow)
{
	return !strcmp(word, flow_word(flow));
}

/* Who waits in a stream that runs waits for the other, most of the time. */
static const char *state_word(const json_t *now, const json_t *before, const char *key)
{
	const char *word = state_string(now, "flow");
	bool running = state_is(word, FLOW_WRITER) || state_is(word, FLOW_READER) || state_is(word, FLOW_OPEN);

	return running && state_moves(now, before, key) ? flow_word(FLOW_FLOWING) : word;
}

bool state_is_foreign(const struct sample *s)
{
	return json_integer_value(json_object_get(s->stats, "foreign_readers")) > 0;
}

const char *state_of_channel(char text[STATE_TEXT_MAX], const struct sample *s)
{
	char word[64];
	const json_t *holder = json_object_get(s->stats, "held_by"), *port = json_object_get(holder, "port");
	bool failed = !strcmp(state_string(holder, "state"), port_state_name(PORT_FAILED));
	const char *origin = state_string(s->stats, "channel"), *name = state_string(holder, "name");

	snprintf(word, sizeof(word), "%s%s", state_is_foreign(s) ? "FOREIGN READER, " : "",
		 state_word(s->stats, s->before, "bytes_in"));
	if (!json_is_object(holder)) {
		snprintf(text, STATE_TEXT_MAX, "%s", word);
	} else if (json_is_integer(port)) {
		snprintf(text, STATE_TEXT_MAX, "%s by %ssink %" JSON_INTEGER_FORMAT " (%s%s%s)", word,
			 failed ? "failed " : "", json_integer_value(port), *name ? sample_leaf(origin, name) : "",
			 *name ? " to " : "", state_string(holder, "uri"));
	} else if (!strcmp(name, origin)) {
		bool read = json_integer_value(json_object_get(s->stats, "readers")) > 0;

		snprintf(text, STATE_TEXT_MAX, "%s %s", word, read ? "by its reader" : "without a reader");
	} else {
		snprintf(text, STATE_TEXT_MAX, "%s by %s", word,
			 *name ? sample_leaf(origin, name) : "a sink that is leaving");
	}
	if (json_is_object(holder))
		state_add_time(text, json_object_get(holder, "since"));
	return text;
}

const char *state_of_tap(char text[STATE_TEXT_MAX], const struct sample *s, const json_t *tap)
{
	const json_t *before = sample_tap_before(s, json_string_value(json_object_get(tap, "name")));

	snprintf(text, STATE_TEXT_MAX, "%s", state_word(tap, before, "bytes_out"));
	state_add_time(text, json_object_get(tap, "blocks_since"));
	return text;
}

const char *state_of_port(char text[STATE_TEXT_MAX], const json_t *port)
{
	const json_t *since = json_object_get(port, "blocks_since");

	snprintf(text, STATE_TEXT_MAX, "%s%s%s", state_string(port, "state"), json_is_number(since) ? ", " : "",
		 json_is_number(since) ? flow_word(FLOW_BLOCKS) : "");
	state_add_time(text, since);
	return text;
}
