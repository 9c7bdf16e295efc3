/* Settings of a tap, as they change. Charged as those of a channel are (channel-charge.c). */
#include "tap-parts.h"

#include "channel.h"
#include "engine.h"

int tap_ring_size(const struct tap *tap)
{
	return tap->settings.value[SETTING_SIZE] ? (int)tap->settings.value[SETTING_SIZE] : PIPE_SIZE;
}

bool tap_discards(const struct tap *tap)
{
	return (tap->settings.value[SETTING_IDLE] == IDLE_DISCARD || tap->keeps != TAP_KEEPS) && tap->id < TAP_PRIVATE;
}

static uint64_t tap_owed(const struct tap *tap)
{
	return (uint64_t)tap_ring_size(tap) + tap->settings.value[SETTING_DEPTH];
}

bool tap_attends(const struct tap *tap)
{
	return tap->broadcast || tap_discards(tap);
}

/* One for the outlet; two for each pipe. */
static uint64_t tap_owed_descriptors(const struct tap *tap)
{
	return 1 + queue_descriptors(tap->settings.value[SETTING_DEPTH], tap->channel->worker->pipe_size) +
	       2ul * tap->replay_pipes;
}

int tap_charge(struct tap *tap)
{
	uint64_t before = tap->charge.amount;
	int err = charge_raise(&tap->charge, tap_owed(tap));

	if (err < 0)
		return err;
	err = charge_raise(&tap->descriptors, tap_owed_descriptors(tap));
	if (err < 0)
		charge_set(&tap->charge, before);
	return err;
}

void tap_discharge(struct tap *tap)
{
	if (tap_owed(tap) < tap->charge.amount)
		charge_set(&tap->charge, tap_owed(tap));
	if (tap_owed_descriptors(tap) < tap->descriptors.amount)
		charge_set(&tap->descriptors, tap_owed_descriptors(tap));
}

static int tap_apply(struct tap *tap, enum setting_key key)
{
	int err = tap_charge(tap);

	if (err < 0)
		return err;
	switch (key) {
	case SETTING_SIZE:
		return outlet_resize(&tap->outlet, tap_ring_size(tap));
	case SETTING_IDLE:
		outlet_attend(&tap->outlet, tap_attends(tap));
		return 0;
	case SETTING_RATE:
		tap->rate_limit = (struct rate_limit){ .rate = tap->settings.value[key] };
		loop_io_cancel(&tap->due);
		return 0;
	default:
		return 0;
	}
}

int tap_set(struct tap *tap, enum setting_key key, uint64_t value)
{
	int err = tap_change(tap, key, value);

	if (err < 0)
		return err;
	if (key == SETTING_SIZE || key == SETTING_DEPTH)
		tap->settings.value[SETTING_LATENCY] = tap->wants = 0;
	if (key == SETTING_LATENCY)
		tap_latency_begin(tap);
	return 0;
}

int tap_change(struct tap *tap, enum setting_key key, uint64_t value)
{
	uint64_t before = tap->settings.value[key];
	int err;

	tap->settings.value[key] = value;
	err = tap_apply(tap, key);
	if (err < 0)
		tap->settings.value[key] = before;
	if (!tap_holds(tap))
		tap->blocks_nsec = 0; /* though nothing has gone to the reader */
	tap_discharge(tap); /* less is given back once it is so: who else takes it could not be asked for it again */
	return err;
}
