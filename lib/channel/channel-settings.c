/* Settings of a channel and its taps, as they change. */
#include "channel-parts.h"

#include <errno.h>

#include "engine.h"
#include "pipe.h"

int channel_ring_size(const struct channel *ch)
{
	return ch->settings.value[SETTING_SIZE] ? (int)ch->settings.value[SETTING_SIZE] : PIPE_SIZE;
}

/* A descriptor of the daemon's own on the origin, or -1. */
static int origin_fd(const struct channel *ch)
{
	const struct inlet *in = TAILQ_FIRST(&ch->inlets);

	return ch->in >= 0 ? ch->in : in ? in->fd : ch->keeping ? ch->keep.fd : -1;
}

static uint64_t owed(const struct channel *ch)
{
	return ch->in < 0 ? 0 : (uint64_t)channel_ring_size(ch) + ch->settings.value[SETTING_REPLAY];
}

static int fit(struct channel *ch, int fd)
{
	int granted = fd < 0 ? 0 : pipe_fit(fd, channel_ring_size(ch));

	return granted < 0 ? granted : 0;
}

int channel_fit(struct channel *ch)
{
	const struct engine_events *events = &ch->worker->events;
	int fd = origin_fd(ch);

	if (fd < 0 && events->ring_opened)
		events->ring_opened(events->data, ch, channel_ring_size(ch));
	return fit(ch, fd);
}

static int set_size(struct channel *ch)
{
	int err = fit(ch, origin_fd(ch));

	if (err == 0)
		origin_watch_look(ch);
	return err;
}

int channel_start(struct channel *ch)
{
	bool never = ch->settings.value[SETTING_EOF] == EOF_NEVER;

	origin_watch_look(ch);
	return never && ch->forever.fd < 0 && !ch->gone && !ch->relay ? inlet_open(&ch->forever, ch) : 0;
}

static int set_eof(struct channel *ch)
{
	if (ch->settings.value[SETTING_EOF] == EOF_NEVER)
		return channel_start(ch);
	ch->forever.stream = true;
	inlet_close(&ch->forever);
	return 0;
}

static int apply(struct channel *ch, enum setting_key key)
{
	int err = owed(ch) > ch->charge.bytes ? charge_set(&ch->charge, owed(ch)) : 0;

	if (err < 0)
		return err;
	switch (key) {
	case SETTING_SIZE:
		return set_size(ch);
	case SETTING_REPLAY:
		ch->replay.size = ch->in < 0 ? 0 : ch->settings.value[key];
		replay_trim(&ch->replay, ch->worker, ch->settings.value[SETTING_PACKETS]);
		return 0;
	case SETTING_EOF:
		return set_eof(ch);
	case SETTING_RATE:
		ch->rate_limit.rate = ch->settings.value[key];
		ch->rate_limit.next = 0;
		loop_io_cancel(&ch->pause);
		return 0;
	default:
		return 0;
	}
}

static int set(struct channel *ch, enum setting_key key, uint64_t value)
{
	uint64_t before = ch->settings.value[key];
	int err;

	ch->settings.value[key] = value;
	err = apply(ch, key);
	if (err < 0)
		ch->settings.value[key] = before;
	charge_set(&ch->charge, owed(ch)); /* (less; see tap_set()) */
	if (err < 0)
		return err;
	channel_pump(ch);
	return 0;
}

int channel_set(struct channel *ch, uint64_t id, enum setting_key key, uint64_t value)
{
	struct tap *tap = id ? channel_find_tap(ch, id) : NULL;

	if (id && !tap)
		return -ENOENT;
	if (!(settings_table[key].of & (id ? SETTING_OF_TAP : SETTING_OF_CHANNEL)) || key == SETTING_PACKETS)
		return -EINVAL;
	return tap ? tap_set(tap, key, value) : set(ch, key, value);
}

int channel_get(const struct channel *ch, uint64_t id, enum setting_key key, uint64_t *value)
{
	const struct tap *tap = id ? channel_find_tap(ch, id) : NULL;
	int fd = origin_fd(ch);

	if (id && !tap)
		return -ENOENT;
	if (!(settings_table[key].of & (id ? SETTING_OF_TAP : SETTING_OF_CHANNEL)))
		return -EINVAL;
	*value = (tap ? &tap->settings : &ch->settings)->value[key];
	if (key == SETTING_SIZE && (tap || fd >= 0))
		*value = (uint64_t)(tap ? outlet_size(&tap->outlet) : pipe_size(fd));
	return 0;
}
