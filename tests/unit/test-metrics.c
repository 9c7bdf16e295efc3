#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

static char *text_of(json_t *stats)
{
	char *text;

	cr_assert(stats);
	text = metrics_text(stats);
	cr_assert(text);
	json_decref(stats);
	return text;
}

Test(metrics, hostile_names_stay_inside_their_labels)
{
	char *text = text_of(
		json_pack("{s[{ss si si}]}", "channels", "channel", "/a\"} 1\n\\", "inode", 5, "bytes_in", 7));

	cr_assert(strstr(text, "spfs_channel_received_bytes_total{channel=\"/a\\\"} 1\\n\\\\\",inode=\"5\"} 7\n"), "%s",
		  text);
	free(text);
}

Test(metrics, what_is_unknown_is_left_out)
{
	char *text = text_of(json_pack("{s[{sn si sn s[{ss sn}]}] s[{si si sn}]}", "channels", "channel", "inode", 5,
				       "bytes_in", "taps", "name", "/t", "readers", "users", "uid", 3, "used", 9,
				       "limit"));

	cr_assert_not(strstr(text, "spfs_channel_received_bytes_total{"));
	cr_assert_not(strstr(text, "spfs_tap_readers{"));
	cr_assert_not(strstr(text, "spfs_user_quota_limit_bytes{"));
	cr_assert(strstr(text, "spfs_user_quota_used_bytes{uid=\"3\"} 9\n"));
	free(text);
}

Test(metrics, a_port_has_one_state)
{
	char *text = text_of(json_pack("{s[{ss si s[{si ss ss ss}]}]}", "channels", "channel", "/c", "inode", 5,
				       "ports", "id", 2, "dir", "sink", "uri", "file:/x", "state", "failed"));
	const char *labels =
		"spfs_port_state{channel=\"/c\",inode=\"5\",port=\"2\",dir=\"sink\",uri=\"file:/x\",state=";
	unsigned count = 0;

	for (const char *p = text; (p = strstr(p, labels)); p++) {
		const char *state = p + strlen(labels);

		cr_assert_eq(strstr(state, "} 1\n") == strchr(state, '}'), !strncmp(state, "\"failed\"", 8));
		count++;
	}
	cr_assert_eq(count, 6);
	free(text);
}

Test(metrics, who_holds_a_writer_back_is_in_the_labels)
{
	char *text = text_of(json_pack("{s[{ss si ss s{sn si ss sf} s[{ss si sf}]}]}", "channels", "channel", "/c",
				       "inode", 5, "flow", "blocked", "held_by", "name", "port", 2, "uri", "file:/x",
				       "since", 1500000000.25, "taps", "name", "/t", "id", 6, "blocks_since", 7.5));

	cr_assert(strstr(text, "\nspfs_channel_held_since_seconds{channel=\"/c\",inode=\"5\",tap=\"\",port=\"2\","
			       "uri=\"file:/x\"} 1500000000.250\n"),
		  "%s", text);
	cr_assert(strstr(text,
			 "\nspfs_tap_blocks_since_seconds{channel=\"/c\",inode=\"5\",tap=\"/t\",id=\"6\"} 7.500\n"));
	cr_assert(strstr(text, "\nspfs_channel_flow{channel=\"/c\",inode=\"5\",state=\"blocked\"} 1\n"));
	cr_assert(strstr(text, "\nspfs_channel_flow{channel=\"/c\",inode=\"5\",state=\"idle\"} 0\n"));
	free(text);
}
