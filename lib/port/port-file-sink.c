/*
 * A sink on a regular file, block or character device. What it has in its lanes when the device fails, or when it is
 * detached, goes back to the head of its tap.
 */
#include "port-file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "channel.h"
#include "log.h"
#include "sys.h"

/*
 * splice(2) takes no file that is open for appending, so each write is placed at the end as it is now. Who else
 * appends in the same moment may still be overwritten.
 */
static void place_at_end(struct file_port *f)
{
	struct statx st;

	if (!loop_io_armed(&f->disk) && port_look(f->port.config.opened.fd, &st) == 0)
		f->offset = st.stx_size;
}

static void store(struct file_port *f)
{
	struct lane *lane = &f->lanes[f->drain];

	if (lane->bytes) {
		if (f->append)
			place_at_end(f);
		loop_io_splice(&f->disk, lane->pipe.rd, -1, f->port.config.opened.fd, file_place(f), lane->bytes);
	} else if (f->over && !loop_io_armed(&f->disk)) {
		f->syncing = true;
		loop_io_fsync(&f->disk, f->port.config.opened.fd);
	}
}

/* A private tap does not end before all of it is written. */
static void hold(struct file_port *f, bool held)
{
	struct tap *tap = f->port.tap >= TAP_PRIVATE ? channel_find_tap(f->port.channel, f->port.tap) : NULL;

	if (tap)
		tap->held = held;
}

static void take(struct file_port *f)
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
	store(f);
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

static void disk(struct loop_io *io, int res)
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
		store(f);
		take(f);
	} else {
		give_back(f);
		port_end(&f->port, res < 0 ? res : -EIO);
	}
}

static void wait(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, wait);

	if (res > 0 && (res & POLLHUP) && !(res & POLLIN))
		f->over = true;
	take(f);
}

/*
 * The file is opened again without O_APPEND. The number stays: it is the caller's, should the port not be attached
 * after all.
 */
static int reopen_append(struct port *p)
{
	_cleanup_fd_ int fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", p->config.opened.fd);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 || dup3(fd, p->config.opened.fd, O_CLOEXEC) < 0 ? -errno : 0;
}

static int init(struct port *p)
{
	struct file_port *f = file_of(p);
	int err = file_init(p, disk, wait);

	if (err == 0 && (fcntl(p->config.opened.fd, F_GETFL) & O_APPEND)) {
		f->append = true;
		err = reopen_append(p);
	}
	if (uri_value(&p->config.uri, &file_append) && f->seekable)
		f->append = true;
	return err;
}

static void start(struct port *p)
{
	loop_io_poll(&file_of(p)->wait, p->pipe, POLLIN);
}

static bool stop(struct port *p)
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

const struct port_ops port_file_sink = {
	.how = "splice",
	.dirs = PORT_SINKS,
	.fits = file_fits,
	.size = sizeof(struct file_port),
	.init = init,
	.start = start,
	.stop = stop,
	.finish = file_finish,
};
