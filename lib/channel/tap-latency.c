/*
 * The setting latency: ring and depth of a tap follow the rate at which its reader takes bytes, so that they hold what he
 * takes in so many milliseconds, and he lags no further behind.
 *
 * The rate is measured where bytes are handed out, once a second, from what he has read in between: so there is no timer, and
 * a second in which nothing flows says nothing. Until the first such second, the tap holds as much as a FIFO does.
 *
 * The ring of a reader who lags is full, and the kernel makes no full one smaller: what is in it goes back into the queue
 * for that moment (queue_take_back()). That is done between two chunks (tap_update()), where none has gone out by halves.
 */
#include "tap-parts.h"

#include <errno.h>
#include <fcntl.h>

#include "base.h"
#include "channel.h"
#include "clock.h"

/* The least ring, and what a tap is to hold while no rate is known. */
#define LATENCY_RING 4096
#define LATENCY_BYTES 65536

/* What is looked at later than this has paused in between. */
#define LATENCY_PAUSE_NSEC (2 * NSEC_PER_SEC)

void tap_latency_begin_with(struct settings *settings)
{
	if (!settings->value[SETTING_LATENCY])
		return;
	settings->value[SETTING_SIZE] = LATENCY_RING;
	settings->value[SETTING_DEPTH] = LATENCY_BYTES - LATENCY_RING;
}

void tap_latency_init(struct tap *tap)
{
	if (tap->id >= TAP_PRIVATE)
		tap->settings.value[SETTING_LATENCY] = 0;
	tap_latency_begin_with(&tap->settings);
}

static void tap_latency_want(struct tap *tap, uint64_t bytes)
{
	tap->wants = bytes;
	loop_io_timer(&tap->due, 0);
}

void tap_latency_begin(struct tap *tap)
{
	tap->taken_rate = tap->wants = 0;
	tap->looked = 0;
	if (tap->settings.value[SETTING_LATENCY])
		tap_latency_want(tap, LATENCY_BYTES);
}

/* What cannot be had is tried again a second later. */
static void tap_latency_narrow(struct tap *tap, uint64_t size)
{
	struct outlet *o = &tap->outlet;
	_cleanup_fd_ int rd = o->state == OUTLET_HOLDING ? fifo_open(&o->fifo, O_RDONLY, 1) : -1;
	bool delivered = tap->delivered;

	if (rd >= 0 && tap_recall(tap, rd) == 0)
		tap_change(tap, SETTING_SIZE, size);
	tap->delivered = delivered; /* nobody has read more or less than before */
}

void tap_latency_fit(struct tap *tap)
{
	uint64_t size = LATENCY_RING, wants = tap->wants;

	tap->wants = 0;
	while (size < PIPE_SIZE && 2 * size <= wants)
		size *= 2;
	if (tap_change(tap, SETTING_SIZE, size) == -EBUSY)
		tap_latency_narrow(tap, size);
	size = tap->settings.value[SETTING_SIZE];
	tap_change(tap, SETTING_DEPTH, wants > size ? wants - size : 0);
}

void tap_latency_look(struct tap *tap, uint64_t bytes, uint64_t nsec)
{
	uint64_t has = tap->settings.value[SETTING_SIZE] + tap->settings.value[SETTING_DEPTH], rate, wants;

	if (!bytes || nsec > LATENCY_PAUSE_NSEC)
		return;
	rate = (uint64_t)((double)bytes / (double)nsec * (double)NSEC_PER_SEC);
	rate = tap->taken_rate ? (tap->taken_rate + rate) / 2 : rate;
	tap->taken_rate = rate;
	wants = (uint64_t)((double)rate * (double)tap->settings.value[SETTING_LATENCY] / 1000);
	if (wants < LATENCY_RING)
		wants = LATENCY_RING;
	if (wants > settings_table[SETTING_DEPTH].max)
		wants = settings_table[SETTING_DEPTH].max;
	if (wants > has + has / 8 || wants < has - has / 8)
		tap_latency_want(tap, wants);
}
