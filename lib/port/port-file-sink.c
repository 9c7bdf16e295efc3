/*
 * A sink on a regular file, block or character device.
 *
 * On the channel's worker, which never waits for the device. At any time one half of the buffer is being written by the
 * kernel or none is, and the other holds what comes after it. What is in the buffer when the device fails, or when the
 * sink is detached, goes back to the head of its tap, so nothing is lost but with the tap's name; the end of the stream
 * is the end of the sink once all of it is written and synced.
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
static void file_sink_place_at_end(struct file_port *f)
{
	struct statx st;

	if (!loop_io_armed(&f->disk) && port_look(f->port.config.opened.fd, &st) == 0)
		f->offset = st.stx_size;
}

static void file_sink_store(struct file_port *f)
{
	struct half *half = double_buffer_draining(&f->buffer);

	if (half->bytes) {
		if (f->append)
			file_sink_place_at_end(f);
		loop_io_splice(&f->disk, half->pipe.rd, -1, f->port.config.opened.fd, file_port_place(f), half->bytes);
	} else if (f->over && !loop_io_armed(&f->disk)) {
		f->syncing = true;
		loop_io_fsync(&f->disk, f->port.config.opened.fd);
	}
}

/* A private tap does not end before all of it is written. */
static void file_sink_hold(struct file_port *f, bool held)
{
	struct tap *tap = f->port.tap >= TAP_PRIVATE ? channel_find_tap(f->port.channel, f->port.tap) : NULL;

	if (tap)
		tap->held = held;
}

static void file_sink_take(struct file_port *f)
{
	struct half *half;

	while (!(half = double_buffer_filling(&f->buffer))->bytes && !f->over) {
		ssize_t n = sys.splice(f->port.pipe, half->pipe.wr, 1 << 30);

		if (n <= 0) {
			loop_io_poll(&f->wait, f->port.pipe, POLLIN);
			break;
		}
		file_sink_hold(f, true);
		half->bytes = (size_t)n;
		double_buffer_filled(&f->buffer);
	}
	file_sink_store(f);
	if (!double_buffer_bytes(&f->buffer) && !f->over) {
		file_sink_hold(f, false);
		port_drained(&f->port);
	}
}

/* What was taken and not written is the tap's again, before what is in it. */
static void file_sink_give_back(struct file_port *f)
{
	struct tap *tap = channel_find_tap(f->port.channel, f->port.tap);
	size_t bytes = double_buffer_bytes(&f->buffer);
	int err = 0;

	if (!bytes)
		return;
	if (!tap) {
		log_user_info(f->port.config.rights.uid, "%s: port %u: %zu bytes went with their tap's name",
			      f->port.channel->label, f->port.id, bytes);
		return;
	}
	tap->held = false;
	err = tap_recall(tap, f->port.pipe);
	/* The half to be emptied last goes first: each is put before the one there. */
	for (unsigned i = HALVES; err == 0 && i--;) {
		struct half *half = &f->buffer.halves[(f->buffer.drain + i) % HALVES];

		if (half->bytes)
			err = queue_prepend(&tap->queue, &half->pipe, half->bytes, half->size);
		if (err == 0)
			half->bytes = 0;
	}
	if (err < 0) {
		tap->lost += double_buffer_bytes(&f->buffer);
		log_user_err(f->port.config.rights.uid, "%s: port %u: giving back what it had not written: %s",
			     f->port.channel->label, f->port.id, strerror(-err));
	}
	if (tap->id < TAP_PRIVATE) /* who opens the tap now must not be taken for a second reader */
		fd_close(&f->port.pipe);
	tap_look(tap);
}

static void file_sink_disk(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, disk);
	struct half *half = double_buffer_draining(&f->buffer);

	if (f->syncing) {
		/* EINVAL: what cannot be synced, such as a terminal (fsync(2)). */
		if (f->port.leaving)
			port_stopped(&f->port);
		else
			port_end(&f->port, res == -EINVAL ? 0 : res);
		return;
	}
	if (res > 0) {
		half->bytes -= (size_t)res;
		f->offset += (uint64_t)res;
		port_moved(&f->port, (size_t)res);
		if (!half->bytes)
			double_buffer_drained(&f->buffer);
	}
	if (f->port.leaving) {
		file_sink_give_back(f);
		port_stopped(&f->port);
	} else if (res > 0) {
		file_sink_store(f);
		file_sink_take(f);
	} else {
		file_sink_give_back(f);
		port_end(&f->port, res < 0 ? res : -EIO);
	}
}

static void file_sink_wait(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, wait);

	if (res > 0 && (res & POLLHUP) && !(res & POLLIN))
		f->over = true;
	file_sink_take(f);
}

/*
 * The file is opened again without O_APPEND. The number stays: it is the caller's, should the port not be attached
 * after all.
 */
static int file_sink_reopen_append(struct port *p)
{
	_cleanup_fd_ int fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", p->config.opened.fd);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 || dup3(fd, p->config.opened.fd, O_CLOEXEC) < 0 ? -errno : 0;
}

static int file_sink_init(struct port *p)
{
	struct file_port *f = file_port_of(p);
	int err = file_port_init(p, file_sink_disk, file_sink_wait);

	if (err == 0 && (fcntl(p->config.opened.fd, F_GETFL) & O_APPEND)) {
		f->append = true;
		err = file_sink_reopen_append(p);
	}
	if (uri_value(&p->config.uri, &file_append) && f->seekable)
		f->append = true;
	return err;
}

static void file_sink_start(struct port *p)
{
	loop_io_poll(&file_port_of(p)->wait, p->pipe, POLLIN);
}

static bool file_sink_stop(struct port *p)
{
	struct file_port *f = file_port_of(p);

	loop_io_cancel(&f->wait);
	if (loop_io_armed(&f->disk)) {
		loop_io_abort(&f->disk);
		return false;
	}
	file_sink_give_back(f);
	return true;
}

const struct port_ops port_file_sink = {
	.how = "splice",
	.dirs = PORT_SINKS,
	.fits = file_port_fits,
	.size = sizeof(struct file_port),
	.init = file_sink_init,
	.start = file_sink_start,
	.stop = file_sink_stop,
	.finish = file_port_finish,
};
