#include "channel-stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "base.h"
#include "channels.h"
#include "hold.h"
#include "ports.h"
#include "report.h"
#include "standing.h"

int channel_stats_begin(struct channel_stats *t, const struct hold *hold)
{
	t->ino = hold->inode->ino;
	t->read_by_taps = inode_is_read_by_taps(hold->inode);
	if (!hold_stands(hold))
		return 0;
	t->stands = standing_words(hold);
	return t->stands ? 0 : -ENOMEM;
}

/* Room for one more tap. NULL: out of memory. */
static struct channel_stats_name *channel_stats_new_tap(struct channel_stats *t)
{
	if (t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 4;
		struct channel_stats_name *taps = realloc(t->taps, room * sizeof(*taps));

		if (!taps)
			return NULL;
		t->taps = taps;
		t->room = room;
	}
	t->taps[t->count] = (struct channel_stats_name){ 0 };
	return &t->taps[t->count++];
}

static int channel_stats_take_name(struct channel_stats *t, const struct descriptor_scan *scan, const struct node *node)
{
	const struct inode *inode = node->inode;
	struct channel_stats_name *name = node_is_tap(node) ? channel_stats_new_tap(t) : &t->origin;

	if (!name)
		return -ENOMEM;
	name->id = node->id;
	name->known = descriptor_scan_count(scan, node, &name->users);
	if (!node_is_tap(node) && inode->packets) { /* its writers are counted where they write */
		name->known = true;
		name->users = (struct descriptor_scan_count){ .writers = inode->handles };
	}
	name->path = node_path(node);
	return name->path ? 0 : -ENOMEM;
}

int channel_stats_step(struct channel_stats *t, const struct descriptor_scan *scan, const struct inode *inode,
		       const struct node **taken)
{
	const struct node *node = channels_name_after(inode, t->last);
	int err;

	*taken = NULL;
	if (!node)
		return 0;
	t->last = node->id;
	if (node->pending)
		return 1;
	*taken = node;
	err = channel_stats_take_name(t, scan, node);
	return err < 0 ? err : 1 + (int)node_depth(node);
}

int channel_stats_take(struct channel_stats *t, const struct descriptor_scan *scan, const struct hold *hold)
{
	int err = channel_stats_begin(t, hold);
	const struct node *name;

	if (err == 0)
		do
			err = channel_stats_step(t, scan, hold->inode, &name);
		while (err > 0);
	return err;
}

void channel_stats_finish(struct channel_stats *t)
{
	free(t->origin.path);
	for (size_t i = 0; i < t->count; i++)
		free(t->taps[i].path);
	free(t->taps);
	report_free(t->report);
	free(t->stands);
	*t = (struct channel_stats){ 0 };
}

/* ---- JSON ---- */

static json_t *channel_stats_settings_json(const struct settings *settings, unsigned of)
{
	json_t *object = json_object();

	for (int key = 0; key < SETTINGS; key++) {
		if (settings_table[key].of & of)
			json_object_set_new(object, settings_table[key].name,
					    json_of_setting((enum setting_key)key, settings->value[key]));
	}
	return object;
}

static json_t *channel_stats_users(const struct channel_stats_name *name, unsigned n)
{
	return name->known ? json_of_number(n) : json_null();
}

/* Both lists are in the order of the taps' making, so the one sought is mostly at *@hint. */
static const struct tap_report *channel_stats_report_of(const struct report *r, uint64_t id, size_t *hint)
{
	static const struct tap_report nothing;

	for (size_t i = 0; r && i < r->count; i++) {
		size_t at = (*hint + i) % r->count;

		if (r->taps[at].id == id) {
			*hint = at + 1;
			return &r->taps[at];
		}
	}
	return &nothing;
}

static json_t *channel_stats_fill(int percent)
{
	return percent < 0 ? json_null() : json_of_number((uint64_t)percent);
}

static json_t *channel_stats_tap_json(const struct channel_stats_name *name, const struct tap_report *t,
				      const char *stands, bool full)
{
	static const char *const states[] = {
		[OUTLET_IDLE] = "idle",
		[OUTLET_HOLDING] = "holding",
		[OUTLET_ENDING] = "ending",
	};
	json_t *tap = json_pack("{so so so so so so so ss so}", "name", json_of_text(name->path), "bytes_out",
				json_of_number(t->bytes_out), "waiting", json_of_number(t->waiting), "size",
				t->size ? json_of_number(t->size) : json_null(), "lost", json_of_number(t->lost),
				"drops", json_of_number(t->drops), "readers",
				t->each ? json_of_number(t->readers) : channel_stats_users(name, name->users.readers),
				"state", states[t->state], "waits", json_of_text(t->id ? t->waits.text : stands));

	json_object_set_new(tap, "flow",
			    json_of_text(t->id  ? flow_word(t->waits.flow) :
					 stands ? flow_word(FLOW_STANDS) :
						  NULL));
	json_object_set_new(tap, "fill", channel_stats_fill(t->id ? t->fill : -1));
	json_object_set_new(tap, "blocks_since", json_of_moment(t->waits.since));
	if (t->each)
		json_object_set_new(tap, "each", json_true());
	if (full && t->id) {
		json_object_set_new(tap, "id", json_of_number(t->id));
		json_object_set_new(tap, "settings", channel_stats_settings_json(&t->settings, SETTING_OF_TAP));
	}
	return tap;
}

static json_t *channel_stats_taps_json(const struct channel_stats *t, bool full)
{
	json_t *taps = json_array();
	size_t hint = 0;

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(taps,
				      channel_stats_tap_json(&t->taps[i],
							     channel_stats_report_of(t->report, t->taps[i].id, &hint),
							     t->stands, full));
	return taps;
}

static const char *channel_stats_path_by_id(const struct channel_stats *t, uint64_t id)
{
	if (t->origin.id == id)
		return t->origin.path;
	for (size_t i = 0; i < t->count; i++)
		if (t->taps[i].id == id)
			return t->taps[i].path;
	return NULL;
}

/* Where the daemon is not in the way: from who has it open. */
static const char *channel_stats_flow_of_users(const struct channel_stats_name *origin)
{
	bool writers = origin->users.writers, readers = origin->users.readers;

	if (!origin->known)
		return NULL;
	return flow_word(writers && readers ? FLOW_OPEN : writers ? FLOW_READER : readers ? FLOW_WRITER : FLOW_IDLE);
}

static const char *channel_stats_flow(const struct channel_stats *t)
{
	if (t->stands)
		return flow_word(FLOW_STANDS);
	if (!t->report || t->report->waits.flow == FLOW_OPEN)
		return channel_stats_flow_of_users(&t->origin);
	return flow_word(t->report->waits.flow);
}

/* What holds the writer back: a tap, a sink with a tap of its own or of a name, or who reads the channel itself. */
static json_t *channel_stats_holder_json(const struct channel_stats *t)
{
	const struct report *r = t->report;
	const struct port_report *port = NULL;
	const char *name;

	if (!r || r->waits.flow != FLOW_BLOCKED)
		return json_null();
	for (size_t i = 0; r->waits.tap && i < r->port_count; i++)
		if (r->ports[i].holder == r->waits.tap)
			port = &r->ports[i];
	name = r->waits.tap ? channel_stats_path_by_id(t, r->waits.tap) : t->origin.path;
	return json_pack("{so so so ss? so}", "name", json_of_text(name), "port",
			 port ? json_of_number(port->id) : json_null(), "uri", json_of_text(port ? port->uri : NULL),
			 "state", port ? port_state_name(port->state) : NULL, "since", json_of_moment(r->waits.since));
}

/* Who has closed it is counted until the next look at /proc; who writes messages has the origin's handle open, and no more. */
static unsigned channel_stats_writers(const struct channel_stats *t)
{
	bool none = t->report && t->report->unwritten && !t->report->settings.value[SETTING_PACKETS];

	return none ? 0 : t->origin.users.writers;
}

/* Without taps the kernel alone moves the bytes, so nobody counts them: null. */
static json_t *channel_stats_channel_json(const struct channel_stats *t, bool full)
{
	const struct channel_stats_name *origin = &t->origin;
	const struct report *r = t->report;
	bool teed = r && r->size;
	bool waits = r && (teed || r->waits.flow == FLOW_BLOCKED);

	return json_pack("{so so so so so so so so so so so so so so so so so}", "channel", json_of_text(origin->path),
			 "bytes_in", teed ? json_of_number(r->bytes_in) : json_null(), "waiting",
			 teed ? json_of_number(r->waiting) : json_null(), "size",
			 teed ? json_of_number((uint64_t)r->size) : json_null(), "streams",
			 teed ? json_of_number(r->streams) : json_null(), "chunks_ref",
			 teed ? json_of_number(r->chunks_ref) : json_null(), "chunks_copy",
			 teed ? json_of_number(r->chunks_copy) : json_null(), "lost", json_of_number(r ? r->lost : 0),
			 "prologue", r ? json_of_number(r->prologue) : json_null(), "writers",
			 channel_stats_users(origin, channel_stats_writers(t)), "readers",
			 channel_stats_users(origin, origin->users.readers), "foreign_readers",
			 channel_stats_users(origin, t->read_by_taps ? origin->users.readers : 0), "waits",
			 json_of_text(waits ? r->waits.text : t->stands), "flow", json_of_text(channel_stats_flow(t)),
			 "fill", channel_stats_fill(r ? r->fill : -1), "held_by", channel_stats_holder_json(t), "taps",
			 channel_stats_taps_json(t, full));
}

json_t *channel_stats_json(const struct channel_stats *t)
{
	return channel_stats_channel_json(t, false);
}

json_t *channel_stats_json_full(const struct channel_stats *t)
{
	const struct report *r = t->report;
	json_t *channel = channel_stats_channel_json(t, true);
	json_t *ports = json_array();

	for (size_t i = 0; r && i < r->port_count; i++)
		json_array_append_new(ports, ports_json(&r->ports[i], channel_stats_path_by_id(t, r->ports[i].node)));
	json_object_set_new(channel, "inode", json_of_number(t->ino));
	json_object_set_new(channel, "settings",
			    r ? channel_stats_settings_json(&r->settings, SETTING_OF_CHANNEL) : json_null());
	json_object_set_new(channel, "ports", ports);
	return channel;
}
