#include "fill.h"

#include <stdbool.h>
#include <unistd.h>

#include "channel-parts.h"
#include "pipe.h"
#include "sys.h"

/* Pages of @bytes in a pipe of @ch's stream, or @all of them, where the pipe takes no more. */
static double fill_pages(const struct channel *ch, uint64_t bytes, bool full, uint64_t size)
{
	double each = (double)sysconf(_SC_PAGESIZE), all = (double)size / each, pages;

	if (full)
		return all;
	if (ch->settings.value[SETTING_PACKETS] && ch->messages)
		each = (double)ch->message_bytes / (double)ch->messages;
	pages = (double)bytes / each;
	return pages < all ? pages : all;
}

static int fill_percent(double part, bool full)
{
	int percent = (int)(part * 100 + 1e-6); /* (an average may be short of a whole page by a rounding) */

	return full || percent > 100 ? 100 : percent;
}

/* Of bytes or pages, in a pipe of @size. */
static double fill_of_pipe(const struct channel *ch, uint64_t bytes, bool full, uint64_t size)
{
	return fill_pages(ch, bytes, full, size) * (double)sysconf(_SC_PAGESIZE) / (double)size;
}

int fill_of_channel(const struct channel *ch)
{
	const struct inlet *in = TAILQ_FIRST(&ch->inlets);
	int fd = ch->in >= 0 ? ch->in : in ? in->fd : -1;
	int bytes = fd < 0 ? -1 : sys.waiting(fd), size = fd < 0 ? -1 : pipe_size(fd);
	bool full = (in && inlet_full(in)) || bytes >= size;

	return bytes < 0 || size <= 0 ? -1 :
					fill_percent(fill_of_pipe(ch, (uint64_t)bytes, full, (uint64_t)size), full);
}

int fill_of_tap(const struct tap *tap)
{
	const struct outlet *o = &tap->outlet;
	const struct channel *ch = tap->channel;
	uint64_t ring, depth = tap_depth(tap), wide = depth + 2ul * PIPE_SIZE;
	double bytes, pages, each = (double)sysconf(_SC_PAGESIZE);

	if (o->fd < 0)
		return -1;
	ring = (uint64_t)outlet_size(o);
	bytes = (double)tap_waiting(tap) / (double)(ring + depth);
	pages = fill_pages(ch, outlet_waiting(o), outlet_full(o), ring) +
		fill_pages(ch, tap->queue.bytes, queue_wide(&tap->queue, depth), wide);
	pages = pages * each / (double)(ring + wide);
	return fill_percent(bytes > pages ? bytes : pages, tap_full(tap));
}
