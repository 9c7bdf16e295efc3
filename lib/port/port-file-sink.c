/*
 * A sink on a regular file, block or character device.
 *
 * On the channel's worker, which never waits for the device. At any time one half of the buffer is being written by the
 * kernel or none is, and the other holds what comes after it. What is in the buffer when the device fails, or when the
 * sink is detached, goes back to the head of its tap, so nothing is lost but with the tap's name; the end of the stream
 * is the end of the sink once all of it is written and synced.
 *
 * splice(2) takes no file that is open for appending, and to place bytes at its end is not to append them: who else
 * appends in that moment would be overwritten. Nor can it be opened anew, for what that does is its user's to say (a
 * lease that is held, a terminal), and its user may have no right to. So these bytes are copied out of the sink's pipe and
 * written (append); it is a call less than a splice and its place.
 *
 * With on-error=retry what the device refuses stays in the buffer, and is written again after a while.
 */
#include "port-file-sink-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "channel.h"
#include "kinds.h"
#include "log.h"
#include "sink-options.h"
#include "sys.h"
#include "worker.h"

/* ---- into the file ---- */

static void file_sink_write(struct file_port *f, struct half *half, size_t bytes)
{
	int fd = f->port.config.opened.fd;
	struct bounce *b = &half->bounce;

	f->lent = f->append ? b : NULL;
	if (f->append)
		loop_io_write(&f->disk, fd, file_port_place(f), b->buf, b->size, b->at, bytes);
	else
		loop_io_splice(&f->disk, half->pipe.rd, -1, fd, file_port_place(f), bytes);
}

static void file_sink_store(struct file_port *f)
{
	struct half *half = double_buffer_draining(&f->buffer);
	size_t share;

	if (loop_io_armed(&f->disk) || loop_io_armed(&f->look) || loop_io_armed(&f->again) || file_sink_lead(f))
		return;
	if (file_sink_doubts(f) && (half->bytes || !f->shown) && !file_sink_look(f))
		return;
	if (half->bytes) {
		share = file_sink_share(f, half);
		if (share && !file_sink_lead(f) && file_port_ready(f))
			file_sink_write(f, half, share);
	} else {
		file_sink_rest(f);
		if (!file_sink_lead(f) && f->over && !f->ended) {
			f->syncing = true;
			loop_io_fsync(&f->disk, f->port.config.opened.fd);
		}
	}
}

/* Out of the sink's pipe. Returns the bytes; 0 or a negative errno: none. */
static ssize_t file_sink_fill(struct file_port *f, struct half *half)
{
	struct bounce *b = &half->bounce;
	ssize_t n;

	if (!f->append)
		return sys.splice(f->port.pipe, half->pipe.wr, 1 << 30);
	n = sys.read(f->port.pipe, b->buf, b->size);
	b->at = 0;
	b->len = n > 0 ? (size_t)n : 0;
	return n;
}

static void file_sink_take(struct file_port *f)
{
	struct half *half;

	while (!(half = double_buffer_filling(&f->buffer))->bytes && !f->over) {
		ssize_t n = file_sink_fill(f, half);

		if (n <= 0) {
			loop_io_poll(&f->wait, f->port.pipe, POLLIN);
			break;
		}
		port_hold_tap(&f->port, true);
		half->bytes = (size_t)n;
		double_buffer_filled(&f->buffer);
		file_sink_learn(f);
	}
	file_sink_store(f);
	if (!double_buffer_bytes(&f->buffer) && !f->over) {
		port_hold_tap(&f->port, false);
		port_drained(&f->port);
	}
}

/* ---- the device is through ---- */

static void file_sink_due(struct loop_io *io, int res)
{
	file_sink_store(container_of(io, struct file_port, again));
}

/* So does one that has tried again since it failed. */
static void file_sink_goes_on(struct port *p)
{
	if (p->state != PORT_RETRYING)
		return;
	log_user_info(p->config.rights.uid, "%s: port %u writes again", p->channel->label, p->id);
	p->state = PORT_RUNNING;
	p->err = 0;
}

static void file_sink_written(struct file_port *f, size_t bytes)
{
	struct half *half = double_buffer_draining(&f->buffer);
	struct port *p = &f->port;

	half->bytes -= bytes;
	f->offset += bytes;
	if (f->append) {
		half->bounce.at += bytes;
		half->bounce.len -= bytes;
		port_copied(p, bytes);
	} else {
		port_moved(p, bytes);
	}
	if (f->rotation.port)
		rotation_wrote(&f->rotation, bytes);
	f->begun = half->bytes;
	if (!half->bytes)
		double_buffer_drained(&f->buffer);
}

/* It is detached. What it has in hand goes back, once nothing has it; and it waits for the file before. */
static void file_sink_leave(struct file_port *f)
{
	if (loop_io_armed(&f->disk) || loop_io_armed(&f->look))
		return;
	if (!f->syncing)
		file_sink_give_back(f);
	if (rotation_quiet(&f->rotation))
		port_stopped(&f->port);
}

/* All is written and synced, but perhaps of the file before. */
static void file_sink_end(struct file_port *f)
{
	if (rotation_quiet(&f->rotation))
		port_end(&f->port, f->err);
}

static void file_sink_synced(struct file_port *f, int res)
{
	if (file_port_again(f, res))
		return;
	f->ended = true;
	f->err = res == -EINVAL ? 0 : res; /* what cannot be synced, such as a terminal (fsync(2)) */
	file_sink_end(f);
}

static void file_sink_changed(struct file_port *f)
{
	if (f->port.leaving)
		file_sink_leave(f);
	else if (f->ended)
		file_sink_end(f);
	else
		file_sink_store(f);
}

static void file_sink_disk(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, disk);

	if (res == -EINVAL && !f->syncing && file_port_hung_up(f)) /* (it knows no splice(2) any more) */
		res = -EIO;
	if (res > 0) {
		if (f->lead.len)
			file_sink_led(f, (size_t)res);
		else
			file_sink_written(f, (size_t)res);
		file_sink_goes_on(&f->port);
	}
	if (f->port.leaving) {
		file_sink_leave(f);
	} else if (f->syncing) {
		file_sink_synced(f, res);
	} else if (res > 0) {
		file_sink_store(f);
		file_sink_take(f);
	} else if (file_port_again(f, res)) {
		return;
	} else if (sink_options_on_error(&f->port) == ON_ERROR_RETRY) {
		port_retry(&f->port, res < 0 ? res : -EIO, "writing", &f->again);
	} else {
		file_sink_give_back(f);
		port_end(&f->port, res < 0 ? res : -EIO);
	}
}

static void file_sink_looked(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, look);

	if (f->port.leaving) {
		file_sink_leave(f);
		return;
	}
	if (res == 0)
		file_sink_see(f);
	f->sure = true;
	file_sink_store(f);
	f->sure = false;
}

static void file_sink_wait(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, wait);

	if (res > 0 && (res & POLLHUP) && !(res & POLLIN))
		f->over = true;
	file_sink_take(f);
}

static int file_sink_init(struct port *p)
{
	struct file_port *f = file_port_of(p);
	static const struct file_port_calls calls = {
		.disk = file_sink_disk,
		.look = file_sink_looked,
		.wait = file_sink_wait,
		.move = file_sink_store,
	};
	int err = file_port_init(p, &calls);

	loop_io_init(&f->again, p->channel->worker->loop, file_sink_due);
	if (err < 0)
		return err;
	f->append = fcntl(p->config.opened.fd, F_GETFL) & O_APPEND;
	p->config.limits.goes_on = file_sink_has_begun(f);
	if (S_ISREG(p->config.opened.type) && !p->config.uri.kind->passed)
		err = rotation_init(&f->rotation, p, file_sink_changed);
	if (err < 0)
		return err;
	if (!f->append)
		return S_ISREG(p->config.opened.type) ? bounce_ready(&f->looked, sizeof(struct statx)) : 0;
	p->copying = true;
	for (unsigned i = 0; err == 0 && i < HALVES; i++) /* what fits into its pipe, for it may go back there */
		err = bounce_ready(&f->buffer.halves[i].bounce, (size_t)f->buffer.halves[i].size);
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
	loop_io_cancel(&f->device);
	loop_io_cancel(&f->again);
	loop_io_abort(&f->disk);
	loop_io_abort(&f->look);
	if (loop_io_armed(&f->disk) || loop_io_armed(&f->look))
		return false;
	if (!f->syncing)
		file_sink_give_back(f);
	return rotation_quiet(&f->rotation);
}

static void file_sink_finish(struct port *p)
{
	struct file_port *f = file_port_of(p);

	rotation_finish(&f->rotation);
	file_port_finish(p);
	file_sink_lead_finish(f);
}

const struct port_ops port_file_sink = {
	.how = "splice",
	.dirs = PORT_SINKS,
	.fits = file_port_fits,
	.size = sizeof(struct file_port),
	.init = file_sink_init,
	.start = file_sink_start,
	.stop = file_sink_stop,
	.finish = file_sink_finish,
	.report = file_sink_report,
	.reopen = file_sink_reopen,
	.reopen_forget = file_sink_reopen_forget,
};
