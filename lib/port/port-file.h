/*
 * A port on a file: what kinds of ports name of it in their rows, and what a source and a sink share.
 *
 * Reading and writing may wait for the device. So the kernel's own threads do it (io_uring), between the device and a
 * double buffer; and the kernel may ask who does so (reserved blocks, quotas, file systems of the network or of a user),
 * so they do it with the rights of who has attached the port: whatever is no pipe and no socket is read, written and
 * synced in no other way.
 */
#pragma once

#include "base.h"
#include "double-buffer.h"
#include "port-ops.h"
#include "prologue.h"
#include "rotation.h"
#include "uri-option.h"

extern const struct port_ops port_file_source, port_file_sink;

/* What a source reads, in bytes of a file that has places; whether a sink writes behind what is there: it opens for appending. */
extern const struct uri_option file_offset, file_length, file_append;

struct attempt;

/*
 * A sink will write the regular file @fd: claims it (file-claim.h) for attempt->opened, by what the kernel knows of it. No-op
 * for what is no regular file. Returns 0, or a negative errno with the reason written.
 */
int file_port_claim(struct attempt *a, int fd);

/* A source will read @fd from one end to the other. It may block, and so is for an opening to say. */
void file_port_advise(int fd);

/* A length: all there is from the offset on. */
#define FILE_TO_END UINT64_MAX

struct file_port {
	struct port port;
	const struct file_port_calls *calls;
	struct double_buffer buffer;
	struct charge charge; /* for it */
	struct lane *lane;    /* by which the device is read and written */
	int personality;      /* ... with whose rights */
	struct loop_io disk;
	struct loop_io wait;   /* for the channel's pipe */
	struct loop_io device; /* for a device without places: to be read or written without a wait */
	struct loop_io again;  /* a sink that has failed tries again: it writes nothing until then */
	bool ready;            /* it is */
	bool pausing;          /* it was not, though it had said so */
	bool seekable;
	bool unspliced; /* a source's file knows no splice(2): it is read */
	bool over;      /* nothing more to fill the buffer with */
	int err;        /* why a source is over */
	bool syncing;
	struct loop_io look;  /* a sink's, at the size of its file */
	struct bounce looked; /* what it has shown */
	bool shown;           /* it has shown a size that fits */
	bool sure;            /* just now, before a write */
	bool begun;           /* some of the half to be emptied is written */
	bool ended;           /* all is written and synced: 0 or why not is err */
	struct rotation rotation;
	bool append;            /* a sink's, open for appending: what it writes is copied */
	struct bounce *lent;    /* whose memory the kernel reads or writes */
	struct prologue begins; /* a sink's: what each of its files begins with */
	bool begun_with;        /* its first bytes have come, */
	unsigned edition;       /* ... when the channel's prologue was this one */
	struct bounce lead;     /* ... as far as the present one has it not yet */
	uint64_t offset;
	uint64_t left; /* of what a source was asked for; FILE_TO_END */
	uint64_t size; /* of a source's regular file, when it was attached */
};

static inline struct file_port *file_port_of(struct port *p)
{
	return container_of(p, struct file_port, port);
}

/* Where the device is to be read or written next; -1: it has no places. */
static inline int64_t file_port_place(const struct file_port *f)
{
	return f->seekable ? (int64_t)f->offset : -1;
}

struct file_port_calls {
	void (*disk)(struct loop_io *io, int res); /* the device is through */
	void (*look)(struct loop_io *io, int res); /* a sink's: its file's size is there */
	void (*wait)(struct loop_io *io, int res); /* the channel's pipe is ready */
	void (*move)(struct file_port *f);         /* the device is ready */
};

/*
 * Readies a zero port, whose descriptor is there. Returns 0 or a negative errno; file_port_finish() is owed either way.
 */
int file_port_init(struct port *p, const struct file_port_calls *calls);

/*
 * Whether the device may be asked now, which is to be done then. A terminal may say nothing, or take nothing, for ever, and
 * a request under way has one of so few threads of the kernel's (lane.h): so what has no places is asked only once poll(2)
 * says that it is ready. Otherwise calls->move() follows.
 */
bool file_port_ready(struct file_port *f);

/*
 * Whether what a request said is no end, and nothing was done: calls->move() follows, later. -EAGAIN, for which a device that
 * does not wait may always have a reason; or, while the process is stopped (SIGSTOP), -EINTR and, where no thread of the
 * kernel's could be made for it, -ECANCELED. (A port that leaves, and has cancelled it, is through.)
 */
bool file_port_again(struct file_port *f, int res);

/*
 * Whether it is a terminal that has hung up: nobody has its other end, or its line is gone. The kernel gives its open files
 * other functions then, of which read(2) says 0 and write(2) EIO; splice(2) there is none (EINVAL). Until it has done so, and
 * for the other end of a pseudo terminal always, read(2) says EIO.
 */
bool file_port_hung_up(const struct file_port *f);

/* For struct port_ops. */
/* Before the file is closed otherwise than by the port's end: that waits until no request has it (loop_io_fence()). */
void file_port_fence(struct file_port *f);

void file_port_finish(struct port *p);
bool file_port_fits(const struct opened *o);
