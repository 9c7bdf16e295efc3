/*
 * Settings of a channel and its taps, as they change.
 *
 * What a setting costs is charged before it holds, and what it no longer costs is given back once it does: so a refusal
 * leaves everything as it was, and nobody is charged less than they hold.
 */
#include "channel-parts.h"

#include <errno.h>

#include "broadcast.h"
#include "worker.h"
#include "pipe.h"

static uint64_t channel_owed(const struct channel *ch, bool attached)
{
	return prologue_size(ch->settings.value[SETTING_PROLOGUE]) + channel_ring_owed(ch, attached) +
	       (attached ? ch->settings.value[SETTING_REPLAY] : 0);
}

/* One for what is kept in the origin, or for what reads it, and those that it asks for itself. */
static uint64_t channel_owed_descriptors(const struct channel *ch, bool attached)
{
	uint64_t replay = attached ? ch->settings.value[SETTING_REPLAY] : 0;

	return 1 + (ch->settings.value[SETTING_EOF] == EOF_NEVER) +
	       (replay ? queue_descriptors(replay + PIPE_SIZE, ch->worker->pipe_size) : 0);
}

static int channel_charge_as(struct channel *ch, bool attached)
{
	int err = charge_raise(&ch->charge, channel_owed(ch, attached));

	if (err == 0)
		err = charge_raise(&ch->descriptors, channel_owed_descriptors(ch, attached));
	if (err < 0)
		channel_discharge(ch);
	return err;
}

int channel_charge(struct channel *ch)
{
	return channel_charge_as(ch, ch->in >= 0);
}

int channel_charge_attached(struct channel *ch)
{
	return channel_charge_as(ch, true);
}

void channel_discharge(struct channel *ch)
{
	uint64_t bytes = channel_owed(ch, ch->in >= 0), fds = channel_owed_descriptors(ch, ch->in >= 0);

	if (bytes < ch->charge.amount)
		charge_set(&ch->charge, bytes);
	if (fds < ch->descriptors.amount)
		charge_set(&ch->descriptors, fds);
}

static int channel_set_size(struct channel *ch)
{
	int err = channel_ring_fit(ch);

	if (err == 0)
		origin_watch_look(ch);
	return err;
}

static int channel_set_eof(struct channel *ch)
{
	if (ch->settings.value[SETTING_EOF] == EOF_NEVER)
		return channel_start(ch);
	ch->forever.stream = true;
	inlet_close(&ch->forever);
	return 0;
}

static int channel_apply(struct channel *ch, enum setting_key key)
{
	int err = channel_charge(ch);

	if (err < 0)
		return err;
	switch (key) {
	case SETTING_SIZE:
		return channel_set_size(ch);
	case SETTING_REPLAY:
		ch->replay.size = ch->in < 0 ? 0 : ch->settings.value[key];
		replay_trim(&ch->replay, ch->worker, channel_record(ch));
		return 0;
	case SETTING_RECORD: /* what was kept before knows nothing of it */
		replay_finish(&ch->replay);
		return 0;
	case SETTING_PROLOGUE:
		return prologue_keep(&ch->prologue, prologue_size(ch->settings.value[key]));
	case SETTING_EOF:
		return channel_set_eof(ch);
	case SETTING_RATE:
		ch->rate_limit.rate = ch->settings.value[key];
		ch->rate_limit.next = 0;
		loop_io_cancel(&ch->pause);
		return 0;
	default:
		return 0;
	}
}

static int channel_set_own(struct channel *ch, enum setting_key key, uint64_t value)
{
	uint64_t before = ch->settings.value[key];
	int err;

	ch->settings.value[key] = value;
	err = channel_apply(ch, key);
	if (err < 0)
		ch->settings.value[key] = before;
	channel_discharge(ch); /* (see tap_set()) */
	return err;
}

int channel_set_prologue(struct channel *ch, const char *bytes, size_t len)
{
	uint64_t before = ch->settings.value[SETTING_PROLOGUE];
	int err;

	ch->settings.value[SETTING_PROLOGUE] = PROLOGUE_GIVEN | len;
	err = channel_charge(ch);
	if (err == 0)
		err = prologue_give(&ch->prologue, bytes, len);
	if (err < 0)
		ch->settings.value[SETTING_PROLOGUE] = before;
	channel_discharge(ch);
	return err;
}

int channel_set(struct channel *ch, uint64_t id, enum setting_key key, uint64_t value)
{
	struct tap *tap = id ? channel_find_tap(ch, id) : NULL;
	struct broadcast *b = id ? broadcast_find(ch, id) : NULL;
	int err;

	if (id && !tap && !b)
		return -ENOENT;
	if (!(settings_table[key].of & (id ? SETTING_OF_TAP : SETTING_OF_CHANNEL)) || key == SETTING_PACKETS)
		return -EINVAL;
	if (b)
		broadcast_set(b, key, value);
	else if ((err = tap ? tap_set(tap, key, value) : channel_set_own(ch, key, value)) < 0)
		return err;
	if (tap)
		tap_look(tap);
	channel_pump(ch);
	return 0;
}

int channel_get(const struct channel *ch, uint64_t id, enum setting_key key, uint64_t *value)
{
	const struct tap *tap = id ? channel_find_tap(ch, id) : NULL;
	const struct broadcast *b = id ? broadcast_find(ch, id) : NULL;
	int fd = channel_ring_fd(ch);

	if (id && !tap && !b)
		return -ENOENT;
	if (!(settings_table[key].of & (id ? SETTING_OF_TAP : SETTING_OF_CHANNEL)))
		return -EINVAL;
	*value = (b ? &b->settings : tap ? &tap->settings : &ch->settings)->value[key];
	if (key == SETTING_SIZE && b)
		*value = *value ? *value : PIPE_SIZE;
	else if (key == SETTING_SIZE && (tap || fd >= 0))
		*value = (uint64_t)(tap ? outlet_size(&tap->outlet) : pipe_size(fd));
	return 0;
}
