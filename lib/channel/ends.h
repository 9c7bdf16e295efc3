/*
 * The ends of a channel that the daemon drives itself: sources that fill the origin, sinks that drain it or a tap.
 *
 * What they are, only the layer above knows: it hangs a structure of its own onto the channel with the first of them,
 * and finds them there again. The channel tells them what happens to it, and asks what is to be told of them, by this
 * table and nothing else. All on the channel's worker.
 *
 * name_gone() and stream_over() may end some of them, and with those go their private taps: who goes through the
 * channel's taps must not call them on the way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "port-report.h"

struct channel_ends;

/* An end as the monitor sees it. */
struct end_look {
	unsigned id;
	enum port_state state;
	int err;         /* a negative errno or 0 */
	bool full;       /* it holds the writer back, by a private tap */
	const char *uri; /* until the next call */
};

struct channel_ends_ops {
	/* Tap @id is about to be removed by its name's removal. */
	void (*name_gone)(struct channel_ends *ends, uint64_t id);
	/* Every stream that the channel had begun is over, perhaps the last one (channel->dead). */
	void (*stream_over)(struct channel_ends *ends);
	/* The origin was node @from and is node @to. */
	void (*origin_moved)(struct channel_ends *ends, uint64_t from, uint64_t to);
	/* Whether one of them is at work, so that the origin must stay. */
	bool (*busy)(const struct channel_ends *ends);
	/* The first whose number is above @after; they only grow. Returns false where there is none. */
	bool (*next)(const struct channel_ends *ends, unsigned after, struct end_look *look);
	/*
	 * All of them, in an array of *count: each owes port_report_finish(), and the array is freed. Returns 0, or
	 * -ENOMEM, and nothing is owed.
	 */
	int (*report)(const struct channel_ends *ends, struct port_report **reports, size_t *count);
	/* The channel goes: frees them all at once, and itself. */
	void (*destroy)(struct channel_ends *ends);
};

struct channel_ends {
	const struct channel_ends_ops *ops;
};

/* What a channel calls; NULL: nothing was ever attached to it. */
static inline void ends_name_gone(struct channel_ends *ends, uint64_t id)
{
	if (ends)
		ends->ops->name_gone(ends, id);
}

static inline void ends_stream_over(struct channel_ends *ends)
{
	if (ends)
		ends->ops->stream_over(ends);
}

static inline void ends_origin_moved(struct channel_ends *ends, uint64_t from, uint64_t to)
{
	if (ends)
		ends->ops->origin_moved(ends, from, to);
}

static inline bool ends_busy(const struct channel_ends *ends)
{
	return ends && ends->ops->busy(ends);
}

static inline bool ends_next(const struct channel_ends *ends, unsigned after, struct end_look *look)
{
	return ends && ends->ops->next(ends, after, look);
}

static inline int ends_report(const struct channel_ends *ends, struct port_report **reports, size_t *count)
{
	return ends ? ends->ops->report(ends, reports, count) : 0;
}

static inline void ends_destroy(struct channel_ends *ends)
{
	if (ends)
		ends->ops->destroy(ends);
}
