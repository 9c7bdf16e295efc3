/*
 * A port on a file: what kinds of ports name of it in their rows, and what a source and a sink share, the lanes.
 *
 * Reading and writing may wait for the device. So the kernel's own threads do it (io_uring), between the device and a
 * lane, a pipe that nobody else uses: a splice holds its pipe's lock for as long as the device takes, and whoever
 * touched the channel's own pipe meanwhile would wait too. Between a lane and the channel's pipe the bytes move at
 * once, by reference. There are two lanes, so that one can be filled while the other is emptied.
 * A source that copies (spfs.stable) reads into memory instead, and writes from there into the channel's pipe.
 */
#pragma once

#include "base.h"
#include "bounce.h"
#include "pipe.h"
#include "port-ops.h"
#include "uri-option.h"

extern const struct port_ops port_file_source, port_file_sink;

/* What a source reads, in bytes of a file that has places; whether a sink writes behind what is there. */
extern const struct uri_option file_offset, file_length, file_append;

/* A length: all there is from the offset on. */
#define FILE_TO_END UINT64_MAX

#define LANES 2

struct lane {
	struct pipe pipe;
	int size;
	size_t bytes;
	struct bounce bounce; /* of a source that copies: where the bytes are instead of in the pipe */
};

struct file_port {
	struct port port;
	struct lane lanes[LANES];
	struct charge charge; /* for them */
	unsigned fill;  /* the lane to fill next */
	unsigned drain; /* the lane to empty next */
	struct loop_io disk;
	struct loop_io wait; /* for the channel's pipe */
	bool seekable;
	bool over;    /* nothing more to fill lanes with */
	int err;      /* why a source is over */
	bool syncing;
	bool append;  /* a sink's: written at the end of the file, wherever that is by then */
	uint64_t offset;
	uint64_t left; /* of what a source was asked for; FILE_TO_END */
	uint64_t size; /* of a source's regular file, when it was attached */
};

static inline struct file_port *file_of(struct port *p)
{
	return container_of(p, struct file_port, port);
}

/* Where the device is to be read or written next; -1: it has no places. */
static inline int64_t file_place(const struct file_port *f)
{
	return f->seekable ? (int64_t)f->offset : -1;
}

static inline void lane_next(unsigned *lane)
{
	*lane = (*lane + 1) % LANES;
}

static inline bool lanes_empty(const struct file_port *f)
{
	return !f->lanes[0].bytes && !f->lanes[1].bytes;
}

/*
 * Readies a zero port, whose descriptor is there: @disk is called when the device is through, @wait when the channel's
 * pipe is ready. Returns 0 or a negative errno; file_finish() is owed either way.
 */
int file_init(struct port *p, void (*disk)(struct loop_io *, int), void (*wait)(struct loop_io *, int));

/* For struct port_ops. */
void file_finish(struct port *p);
bool file_fits(const struct opened *o, mode_t type);
