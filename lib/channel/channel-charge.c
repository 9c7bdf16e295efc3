/*
 * What the owner of a channel is charged for it: bytes of its ring, its replay and its prologue, and descriptors.
 *
 * What it comes to have is charged before it has it, and what it has no longer is given back once that is so: nobody is
 * charged less than they hold.
 */
#include "channel-parts.h"

#include "worker.h"

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
