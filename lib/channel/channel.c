#include "channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broadcast.h"
#include "channel-parts.h"
#include "worker.h"
#include "keep.h"
#include "log.h"
#include "monitor.h"

static void channel_free(struct channel *ch)
{
	charge_finish(&ch->charge);
	charge_finish(&ch->descriptors);
	stamp_put(ch->stamp);
	prologue_finish(&ch->prologue);
	free(ch->label);
	free(ch);
}

int channel_create(struct channel **out, struct worker *worker, uint64_t origin, const char *label,
		   const struct limits *limits)
{
	struct channel *ch = calloc(1, sizeof(*ch));
	int err;

	if (!ch)
		return -ENOMEM;
	ch->label = strdup(label);
	ch->stamp = stamp_create();
	if (!ch->label || !ch->stamp) {
		channel_free(ch);
		return -ENOMEM;
	}
	ch->worker = worker;
	ch->user = limits->account ? limits->account->uid : LOG_SOMEBODY;
	ch->settings = limits->settings;
	ch->charge.account = ch->descriptors.account = limits->account;
	ch->descriptors.of = ACCOUNT_DESCRIPTORS;
	ch->origin = (struct fifo){ .dir = worker->dir, .id = origin };
	ch->in = -1;
	ch->forever = INLET_NONE;
	ch->rate_limit.rate = limits->settings.value[SETTING_RATE];
	replay_init(&ch->replay);
	ch->over = true;
	channel_pump_init(ch);
	origin_watch_init(ch);
	loop_io_init(&ch->closed, worker->loop, inlet_closed);
	TAILQ_INIT(&ch->taps);
	TAILQ_INIT(&ch->broadcasts);
	TAILQ_INIT(&ch->inlets);
	err = prologue_keep(&ch->prologue, prologue_size(ch->settings.value[SETTING_PROLOGUE]));
	if (err == 0)
		err = channel_charge(ch);
	if (err == 0)
		*out = ch;
	else
		channel_free(ch);
	return err;
}

int channel_create_relay(struct channel **out, struct channel *ch, uint64_t tap)
{
	struct limits limits = { .settings = ch->settings };
	int err;

	limits.settings.value[SETTING_PROLOGUE] = 0; /* it is the other's */
	err = channel_create(out, ch->worker, tap, ch->label, &limits);
	if (err < 0)
		return err;
	(*out)->user = ch->user;
	(*out)->relays = ch;
	return 0;
}

bool channel_closing(const struct channel *ch)
{
	return loop_io_armed(&ch->closed);
}

void channel_look(struct channel *ch)
{
	if (ch->ending)
		watcher_drain(&ch->worker->watcher);
}

void channel_destroy(struct channel *ch)
{
	struct tap *tap;

	if (!ch)
		return;
	monitor_destroy(ch);
	ends_destroy(ch->ends);
	ch->ends = NULL; /* what goes with it tells nobody */
	while ((tap = TAILQ_FIRST(&ch->taps))) {
		TAILQ_REMOVE(&ch->taps, tap, entry);
		tap_destroy(tap);
	}
	broadcasts_destroy(ch);
	channel_detach(ch);
	origin_watch_end(ch);
	inlet_close(&ch->forever);
	keep_end(ch);
	loop_io_cancel(&ch->closed);
	channel_free(ch);
}
