/*
 * The ring of the origin, the kernel's own, and the size that it is asked to have. The daemon can ask only while it has
 * the origin open: as its reader, by an inlet, or while it keeps bytes in it. Else nobody may have it open, and then
 * the ring is gone with its size; who opens it next is seen by the origin watch, and the layer above resizes it for
 * them.
 */
#include "channel-parts.h"

#include <poll.h>
#include <unistd.h>

#include "worker.h"
#include "pipe.h"
#include "sys.h"

int channel_ring_size_attached(const struct channel *ch)
{
	return ch->settings.value[SETTING_SIZE] ? (int)ch->settings.value[SETTING_SIZE] : PIPE_SIZE;
}

/* Unless it is read, or written by a source, it is as the kernel has made it: one user may have thousands that are kept. */
static bool channel_ring_is_wide(const struct channel *ch)
{
	const struct inlet *in;

	if (ch->in >= 0 || ch->settings.value[SETTING_SIZE])
		return true;
	TAILQ_FOREACH(in, &ch->inlets, entry)
		if (in->wide)
			return true;
	return false;
}

int channel_ring_size(const struct channel *ch)
{
	return channel_ring_is_wide(ch) ? channel_ring_size_attached(ch) : pipe_size_preset();
}

uint64_t channel_ring_owed(const struct channel *ch, bool attached)
{
	int promised = channel_ring_size(ch), granted;

	if (attached)
		return (uint64_t)channel_ring_size_attached(ch);
	if (TAILQ_EMPTY(&ch->inlets) && !ch->keeping)
		return 0;
	granted = pipe_size(channel_ring_fd(ch)); /* more, where more than it should have is in it */
	return (uint64_t)(granted > promised ? granted : promised);
}

/* poll(2) tells it to a writer alone: a duplicate in a pipe of the same size takes up as many pages, and is asked. */
bool channel_ring_full(const struct channel *ch)
{
	struct worker *w = ch->worker;
	struct pollfd p = { .fd = w->stage.wr, .events = POLLOUT };
	int bytes = sys.waiting(ch->in), size = pipe_size(ch->in);
	bool full = bytes >= size;
	ssize_t n;

	if (full || bytes < size / sysconf(_SC_PAGESIZE)) /* (there is none without a byte) */
		return full;
	worker_fit_stage(w, size);
	n = w->stage_size == size ? sys.tee(ch->in, w->stage.wr, 1 << 30) : 0;
	if (n <= 0)
		return false;
	full = poll(&p, 1, 0) == 0;
	worker_clear_stage(w, (size_t)n);
	return full;
}

int channel_ring_fd(const struct channel *ch)
{
	const struct inlet *in = TAILQ_FIRST(&ch->inlets);

	return ch->in >= 0 ? ch->in : in ? in->fd : ch->keeping ? ch->keep.fd : -1;
}

int channel_ring_fit(const struct channel *ch)
{
	int fd = channel_ring_fd(ch);
	int granted = fd < 0 ? 0 : pipe_fit(fd, channel_ring_size(ch));

	return granted < 0 ? granted : 0;
}

int channel_ring_opened(struct channel *ch)
{
	const struct engine_events *events = &ch->worker->events;

	if (channel_ring_fd(ch) < 0 && events->ring_opened)
		events->ring_opened(events->data, ch, channel_ring_size(ch));
	return channel_ring_fit(ch);
}
