#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "topology.h"

static char *draw(const json_t *stats, const json_t *before, double seconds)
{
	char *text = topology_dot(stats, before, seconds);

	cr_assert(text);
	return text;
}

static json_t *stats(const char *channel, const char *tap, int in, int out)
{
	json_t *json = json_pack("{ss s[{ss si s[{ss si}] s[{si ss ss ss ss si}]}]}", "mount", "/m", "channels",
				 "channel", channel, "bytes_in", in, "taps", "name", tap, "bytes_out", out, "ports",
				 "id", 1, "dir", "sink", "uri", "file:/x", "state", "running", "name", tap, "bytes",
				 out);

	cr_assert(json);
	return json;
}

/* What an XML parser makes of the drawing is for the end-to-end test to see. */
Test(topology, hostile_names_stay_inside_their_labels)
{
	json_t *json = stats("/q\"]; x -> y [\\", "/n\n\t\x7f&lt;\xef\xbf\xbf\xc3\xa9", 0, 0);
	char *text = draw(json, NULL, 0);

	cr_assert(strstr(text, "label=\"/q\\\"]; x -> y [\\\\\""), "%s", text);
	cr_assert(strstr(text, "label=\"/n\\\\x0a\\\\x09\\\\x7f&amp;lt;\\\\uffff\xc3\xa9\""), "%s", text);
	free(text);
	json_decref(json);
}

Test(topology, a_sink_hangs_on_its_tap)
{
	json_t *json = stats("/c", "/t", 0, 2048);
	char *text = draw(json, NULL, 0);

	cr_assert(strstr(text, "c0 -> c0t0 [label=\"2.0K\"]"), "%s", text);
	cr_assert(strstr(text, "c0t0 -> c0p0 [label=\"2.0K\"]"), "%s", text);
	free(text);
	json_decref(json);
}

Test(topology, edges_tell_rates_between_two_stats)
{
	json_t *before = stats("/c", "/t", 0, 1024), *json = stats("/c", "/t", 0, 11264);
	char *text = draw(json, before, 2);

	cr_assert(strstr(text, "c0 -> c0t0 [label=\"5.0K/s\""), "%s", text);
	free(text);
	json_decref(before);
	json_decref(json);
}

Test(topology, a_channel_that_is_new_has_no_rate)
{
	json_t *before = stats("/other", "/t", 0, 0), *json = stats("/c", "/t", 0, 1024);
	char *text = draw(json, before, 1);

	cr_assert(strstr(text, "c0 -> c0t0 [];"), "%s", text);
	free(text);
	json_decref(before);
	json_decref(json);
}

Test(topology, what_is_no_stats_is_an_empty_graph)
{
	json_t *json = json_pack("{s[isn] si}", "channels", 1, "x", "mount", 7);
	char *text = draw(json, json, 1);

	cr_assert(strstr(text, "digraph"));
	free(text);
	json_decref(json);
}

Test(topology, what_holds_a_writer_back_is_red)
{
	json_t *json = stats("/c", "/t", 0, 0), *channel = json_array_get(json_object_get(json, "channels"), 0);
	json_t *tap = json_array_get(json_object_get(channel, "taps"), 0);
	char *text;

	json_object_update_new(tap, json_pack("{ss sf}", "flow", "blocks the writer", "blocks_since", 86400.5));
	json_object_update_new(channel, json_pack("{ss s{ss si sf}}", "flow", "blocked", "held_by", "name", "/t",
						  "port", 1, "since", 86400.5));
	text = draw(json, NULL, 0);
	cr_assert(strstr(text, "label=\"/t\\nblocks the writer since 1970-01-02 00:00:00 UTC\", color=\"#c5221f\""),
		  "%s", text);
	cr_assert(strstr(text,
			 "label=\"/c\\nblocked since 1970-01-02 00:00:00 UTC\\nby sink 1 /t\", color=\"#c5221f\""),
		  "%s", text);
	free(text);
	json_decref(json);
}
