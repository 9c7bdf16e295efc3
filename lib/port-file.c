/*
 * A port on a regular file, block or character device: reading and writing may wait for the device.
 *
 * So the kernel's own threads do it (io_uring), between the device and a lane, a pipe that nobody else uses: a splice
 * holds its pipe's lock for as long as the device takes, and whoever touched the channel's own pipe meanwhile would
 * wait too. Between a lane and the channel's pipe the bytes move at once, by reference. There are two lanes, so that
 * one can be filled while the other is emptied.
 *
 * What a sink has in its lanes when the device fails, or when it is detached, goes back to the head of its tap.
 */
#include "port-ops.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "aside.h"
#include "base.h"
#include "channel.h"
#include "engine.h"
#include "log.h"
#include "pipe.h"
#include "sys.h"

#define LANES 2

struct lane {
	struct pipe pipe;
	int size;
	size_t bytes;
};

struct file_port {
	struct port port;
	struct lane lanes[LANES];
	unsigned fill;  /* the lane to fill next */
	unsigned drain; /* the lane to empty next */
	struct loop_io disk;
	struct loop_io wait; /* for the channel's pipe */
	bool seekable;
	bool over;    /* nothing more to fill lanes with */
	int err;      /* why a source is over */
	bool syncing;
	uint64_t offset;
	uint64_t left; /* of what a source was asked for; URI_TO_END */
	uint64_t size; /* of a source's regular file, when it was attached */
};

static struct file_port *file_of(struct port *p)
{
	return container_of(p, struct file_port, port);
}

static int64_t place(const struct file_port *f)
{
	return f->seekable ? (int64_t)f->offset : -1;
}

static void lane_next(unsigned *lane)
{
	*lane = (*lane + 1) % LANES;
}

static bool lanes_empty(const struct file_port *f)
{
	return !f->lanes[0].bytes && !f->lanes[1].bytes;
}

/*
 * Where a passed file stands. Not by lseek(2), which waits for whoever is reading or writing by the same open file;
 * proc_pid_fdinfo(5) does not.
 */
static uint64_t position(int fd)
{
	char name[40], line[64] = "";
	uint64_t at = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	file = fopen(name, "re");
	if (file && fgets(line, sizeof(line), file))
		sscanf(line, "pos: %" SCNu64, &at);
	if (file)
		fclose(file);
	return at;
}

static int init(struct port *p, void (*disk)(struct loop_io *, int), void (*wait)(struct loop_io *, int))
{
	struct loop *loop = p->channel->worker->loop;
	struct file_port *f = file_of(p);
	struct statx st;
	int err;

	for (unsigned i = 0; i < LANES; i++)
		f->lanes[i].pipe = PIPE_NONE;
	loop_io_init(&f->disk, loop, disk);
	loop_io_init(&f->wait, loop, wait);
	err = port_look(p->config.fd, &st);
	if (err < 0)
		return err;
	f->seekable = S_ISREG(st.stx_mode) || S_ISBLK(st.stx_mode);
	if (!f->seekable) /* the kernel's thread is to wait for it */
		fcntl(p->config.fd, F_SETFL, fcntl(p->config.fd, F_GETFL) & ~O_NONBLOCK);
	f->size = S_ISREG(st.stx_mode) ? st.stx_size : 0;
	f->left = URI_TO_END;
	if (f->seekable)
		f->offset = position(p->config.fd);
	for (unsigned i = 0; i < LANES; i++) {
		struct lane *lane = &f->lanes[i];

		lane->size = pipe_open(&lane->pipe, PIPE_SIZE);
		if (lane->size < 0)
			return lane->size;
		if (fifo_fd_check(lane->pipe.wr) < 0)
			return -EMFILE;
	}
	return 0;
}

static void finish(struct port *p)
{
	struct file_port *f = file_of(p);
	bool busy = loop_io_armed(&f->disk);

	loop_io_cancel(&f->disk);
	loop_io_cancel(&f->wait);
	for (unsigned i = 0; i < LANES; i++) {
		if (busy) { /* one of them is locked for as long as the device takes */
			aside_close(&f->lanes[i].pipe.rd);
			aside_close(&f->lanes[i].pipe.wr);
		}
		pipe_close(&f->lanes[i].pipe);
	}
}

/* ---- source ---- */

static void source_read(struct file_port *f)
{
	struct lane *lane = &f->lanes[f->fill];
	size_t len = f->left < (uint64_t)lane->size ? (size_t)f->left : (size_t)lane->size;

	if (f->over || lane->bytes || f->port.leaving)
		return;
	if (len == 0)
		f->over = true;
	else
		loop_io_splice(&f->disk, f->port.config.fd, place(f), lane->pipe.wr, -1, len);
}

static void source_drain(struct file_port *f)
{
	struct lane *lane;

	while ((lane = &f->lanes[f->drain])->bytes) {
		ssize_t n = sys.splice(lane->pipe.rd, f->port.inlet.fd, lane->bytes);

		if (n == -EAGAIN) {
			loop_io_poll(&f->wait, f->port.inlet.fd, POLLOUT);
			return;
		}
		if (n <= 0) {
			port_end(&f->port, n < 0 ? (int)n : -EIO);
			return;
		}
		lane->bytes -= (size_t)n;
		port_moved(&f->port, (size_t)n);
		if (lane->bytes)
			continue;
		lane_next(&f->drain);
		source_read(f);
	}
	if (f->over)
		port_end(&f->port, f->err);
}

/* Nothing more to read: the end of the file, where it should be, or an error. */
static void source_over(struct file_port *f, int err)
{
	struct port *p = &f->port;

	f->over = true;
	f->err = err;
	if (err < 0 || !f->seekable || (f->offset >= f->size && f->left == URI_TO_END))
		return;
	log_warn("%s: port %u: %s ends at byte %ju, before its end when it was attached", p->channel->label, p->id,
		 p->config.uri.text, (uintmax_t)f->offset);
	f->err = -ENODATA;
}

static void source_disk(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, disk);

	if (f->port.leaving) {
		port_stopped(&f->port);
		return;
	}
	if (res > 0) {
		f->lanes[f->fill].bytes = (size_t)res;
		f->offset += (uint64_t)res;
		if (f->left != URI_TO_END)
			f->left -= (uint64_t)res;
		lane_next(&f->fill);
		source_read(f);
	} else {
		source_over(f, res);
	}
	source_drain(f);
}

static void source_wait(struct loop_io *io, int res)
{
	source_drain(container_of(io, struct file_port, wait));
}

static int source_init(struct port *p)
{
	struct file_port *f = file_of(p);
	const struct uri *uri = &p->config.uri;
	int err = init(p, source_disk, source_wait);

	if (err < 0)
		return err;
	if (f->seekable) {
		f->offset += uri->offset;
		f->left = uri->kind == URI_FILE ? uri->length : URI_TO_END;
		posix_fadvise(p->config.fd, (off_t)f->offset, 0, POSIX_FADV_SEQUENTIAL);
	} else if (uri->offset || (uri->kind == URI_FILE && uri->length != URI_TO_END)) {
		return -ESPIPE;
	}
	p->total = f->left != URI_TO_END ? f->left : f->size > f->offset ? f->size - f->offset : 0;
	return 0;
}

static void source_start(struct port *p)
{
	struct file_port *f = file_of(p);

	source_read(f);
	source_drain(f);
}

static bool source_stop(struct port *p)
{
	struct file_port *f = file_of(p);

	loop_io_cancel(&f->wait);
	loop_io_abort(&f->disk);
	return !loop_io_armed(&f->disk);
}

/* ---- sink ---- */

static void sink_write(struct file_port *f)
{
	struct lane *lane = &f->lanes[f->drain];

	if (lane->bytes) {
		loop_io_splice(&f->disk, lane->pipe.rd, -1, f->port.config.fd, place(f), lane->bytes);
	} else if (f->over && !loop_io_armed(&f->disk)) {
		f->syncing = true;
		loop_io_fsync(&f->disk, f->port.config.fd);
	}
}

/* A private tap does not end before all of it is written. */
static void hold(struct file_port *f, bool held)
{
	struct tap *tap = f->port.tap >= TAP_PRIVATE ? channel_find_tap(f->port.channel, f->port.tap) : NULL;

	if (tap)
		tap->held = held;
}

static void sink_take(struct file_port *f)
{
	struct lane *lane;

	while (!(lane = &f->lanes[f->fill])->bytes && !f->over) {
		ssize_t n = sys.splice(f->port.pipe, lane->pipe.wr, 1 << 30);

		if (n <= 0) {
			loop_io_poll(&f->wait, f->port.pipe, POLLIN);
			break;
		}
		hold(f, true);
		lane->bytes = (size_t)n;
		lane_next(&f->fill);
	}
	sink_write(f);
	if (lanes_empty(f) && !f->over) {
		hold(f, false);
		port_drained(&f->port);
	}
}

/* What was taken and not written is the tap's again, before what is in it. */
static void give_back(struct file_port *f)
{
	struct tap *tap = channel_find_tap(f->port.channel, f->port.tap);
	size_t bytes = f->lanes[0].bytes + f->lanes[1].bytes;
	int err = 0;

	if (!bytes)
		return;
	if (!tap) {
		log_info("%s: port %u: %zu bytes went with their tap's name", f->port.channel->label, f->port.id, bytes);
		return;
	}
	tap->held = false;
	err = tap_recall(tap, f->port.pipe);
	/* The lane to be emptied last goes first: each is put before the one there. */
	for (unsigned i = LANES; err == 0 && i--;) {
		struct lane *lane = &f->lanes[(f->drain + i) % LANES];

		if (lane->bytes)
			err = queue_prepend(&tap->queue, &lane->pipe, lane->bytes, lane->size);
		if (err == 0)
			lane->bytes = 0;
	}
	if (err < 0) {
		tap->lost += f->lanes[0].bytes + f->lanes[1].bytes;
		log_err("%s: port %u: giving back what it had not written: %s", f->port.channel->label, f->port.id,
			strerror(-err));
	}
	if (tap->id < TAP_PRIVATE) /* who opens the tap now must not be taken for a second reader */
		fd_close(&f->port.pipe);
	tap_look(tap);
}

static void sink_disk(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, disk);
	struct lane *lane = &f->lanes[f->drain];

	if (f->syncing) {
		/* EINVAL: what cannot be synced, such as a terminal (fsync(2)). */
		if (f->port.leaving)
			port_stopped(&f->port);
		else
			port_end(&f->port, res == -EINVAL ? 0 : res);
		return;
	}
	if (res > 0) {
		lane->bytes -= (size_t)res;
		f->offset += (uint64_t)res;
		port_moved(&f->port, (size_t)res);
		if (!lane->bytes)
			lane_next(&f->drain);
	}
	if (f->port.leaving) {
		give_back(f);
		port_stopped(&f->port);
	} else if (res > 0) {
		sink_write(f);
		sink_take(f);
	} else {
		give_back(f);
		port_end(&f->port, res < 0 ? res : -EIO);
	}
}

static void sink_wait(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, wait);

	if (res > 0 && (res & POLLHUP) && !(res & POLLIN))
		f->over = true;
	sink_take(f);
}

/*
 * splice(2) refuses a file that is open for appending, so it is opened again, and written at its end. The number
 * stays: it is the caller's, should the port not be attached after all.
 */
static int reopen_append(struct port *p)
{
	_cleanup_fd_ int fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", p->config.fd);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 || dup3(fd, p->config.fd, O_CLOEXEC) < 0 ? -errno : 0;
}

static int sink_init(struct port *p)
{
	struct file_port *f = file_of(p);
	bool append = p->config.uri.append;
	int err = init(p, sink_disk, sink_wait);

	if (err == 0 && (fcntl(p->config.fd, F_GETFL) & O_APPEND)) {
		append = true;
		err = reopen_append(p);
	}
	if (err < 0)
		return err;
	if (append && f->seekable)
		f->offset = f->size;
	return 0;
}

static void sink_start(struct port *p)
{
	loop_io_poll(&file_of(p)->wait, p->pipe, POLLIN);
}

static bool sink_stop(struct port *p)
{
	struct file_port *f = file_of(p);

	loop_io_cancel(&f->wait);
	if (loop_io_armed(&f->disk)) {
		loop_io_abort(&f->disk);
		return false;
	}
	give_back(f);
	return true;
}

const struct port_ops port_file_source = {
	.how = "splice",
	.size = sizeof(struct file_port),
	.init = source_init,
	.start = source_start,
	.stop = source_stop,
	.finish = finish,
};

const struct port_ops port_file_sink = {
	.how = "splice",
	.size = sizeof(struct file_port),
	.init = sink_init,
	.start = sink_start,
	.stop = sink_stop,
	.finish = finish,
};
