/*
 * A source on a regular file, block or character device.
 *
 * On the channel's worker, which never waits for the device. One half of the buffer is being filled by the kernel, or
 * none is; what is in the other goes into the channel as it has room. A regular file that ends before the end that it
 * had when it was attached is a failure (-ENODATA), after what there was of it. That a terminal hangs up is its end. What was
 * read and not handed on when the source is detached is dropped: it is still in the file. A device has no places, and would
 * lose it: so that goes out before the port does.
 */
#include "port-file.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>

#include "channel.h"
#include "log.h"
#include "sys.h"

static void file_source_fill(struct file_port *f)
{
	struct half *half = double_buffer_filling(&f->buffer);
	size_t size = (size_t)half->size, len = f->left < size ? (size_t)f->left : size;

	if (f->over || half->bytes || f->port.leaving || loop_io_armed(&f->disk))
		return;
	if (!file_port_ready(f))
		return;
	f->port.copying = f->unspliced || *port_stable(&f->port);
	if (len && f->port.copying)
		f->err = bounce_ready(&half->bounce, size);
	f->over = len == 0 || f->err < 0;
	if (f->over)
		return;
	f->lent = f->port.copying ? &half->bounce : NULL;
	if (f->port.copying)
		loop_io_read(&f->disk, f->port.config.opened.fd, file_port_place(f), half->bounce.buf, size, len);
	else
		loop_io_splice(&f->disk, f->port.config.opened.fd, file_port_place(f), half->pipe.wr, -1, len);
}

/* Into the channel's pipe, what it takes. Returns the bytes or a negative errno. */
static ssize_t file_source_hand_on(struct file_port *f, struct half *half)
{
	bool copied = half->bounce.len;
	ssize_t n = copied ? bounce_give(&half->bounce, f->port.inlet.fd) :
			     sys.splice(half->pipe.rd, f->port.inlet.fd, half->bytes);

	if (n > 0 && copied)
		port_copied(&f->port, (size_t)n);
	else if (n > 0)
		port_moved(&f->port, (size_t)n);
	return n;
}

static void file_source_end(struct file_port *f, int err)
{
	if (f->port.leaving)
		port_stopped(&f->port);
	else
		port_end(&f->port, err);
}

static void file_source_drain(struct file_port *f)
{
	struct half *half;

	while ((half = double_buffer_draining(&f->buffer))->bytes) {
		ssize_t n = file_source_hand_on(f, half);

		if (n == -EAGAIN) {
			loop_io_poll(&f->wait, f->port.inlet.fd, POLLOUT);
			return;
		}
		if (n <= 0) {
			file_source_end(f, n < 0 ? (int)n : -EIO);
			return;
		}
		half->bytes -= (size_t)n;
		if (half->bytes)
			continue;
		double_buffer_drained(&f->buffer);
		file_source_fill(f);
	}
	if (f->over && !loop_io_armed(&f->disk))
		file_source_end(f, f->err);
}

/* Nothing more to read: the end of the file, where it should be, or an error. */
static void file_source_reached_end(struct file_port *f, int err)
{
	struct port *p = &f->port;

	f->over = true;
	f->err = err;
	if (err < 0 || !f->seekable || (f->offset >= f->size && f->left == FILE_TO_END))
		return;
	log_user_warn(p->config.rights.uid, "%s: port %u: %s ends at byte %ju, before its end when it was attached",
		      p->channel->label, p->id, p->config.uri.text, (uintmax_t)f->offset);
	f->err = -ENODATA;
}

/*
 * Some files know no splice(2), and nor does a terminal that has hung up. So they are read, and it is read(2) that tells the
 * end, or what is wrong.
 */
static bool file_source_reads_instead(struct file_port *f, int res)
{
	if (res != -EINVAL || f->port.copying)
		return false;
	f->unspliced = true;
	file_source_fill(f);
	return true;
}

static void file_source_close(struct file_port *f)
{
	file_port_fence(f);
	port_close(&f->port);
}

static void file_source_disk(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, disk);

	if (f->port.leaving && f->seekable) {
		port_stopped(&f->port);
		return;
	}
	if (res > 0) {
		struct half *half = double_buffer_filling(&f->buffer);

		half->bytes = (size_t)res;
		half->bounce.at = 0;
		half->bounce.len = f->port.copying ? half->bytes : 0;
		f->offset += (uint64_t)res;
		if (f->left != FILE_TO_END)
			f->left -= (uint64_t)res;
		double_buffer_filled(&f->buffer);
		file_source_fill(f);
	} else if (!f->port.leaving && !file_port_again(f, res) && !file_source_reads_instead(f, res)) {
		file_source_reached_end(f, res == -EIO && file_port_hung_up(f) ? 0 : res);
	}
	if (f->port.leaving)
		file_source_close(f); /* what is in hand is all that there will be */
	file_source_drain(f);
}

static void file_source_wait(struct loop_io *io, int res)
{
	file_source_drain(container_of(io, struct file_port, wait));
}

static void file_source_move(struct file_port *f)
{
	file_source_fill(f);
	file_source_drain(f);
}

static int file_source_init(struct port *p)
{
	struct file_port *f = file_port_of(p);
	uint64_t offset = uri_value(&p->config.uri, &file_offset), length = uri_value(&p->config.uri, &file_length);
	static const struct file_port_calls calls = { .disk = file_source_disk,
						      .wait = file_source_wait,
						      .move = file_source_move };
	int err = file_port_init(p, &calls);

	if (err < 0)
		return err;
	if (f->seekable) {
		f->offset += offset;
		f->left = length;
	} else if (offset || length != FILE_TO_END) {
		return -ESPIPE;
	}
	p->total = f->left != FILE_TO_END ? f->left : f->size > f->offset ? f->size - f->offset : 0;
	return 0;
}

static void file_source_start(struct port *p)
{
	file_source_move(file_port_of(p));
}

static bool file_source_stop(struct port *p)
{
	struct file_port *f = file_port_of(p);

	loop_io_cancel(&f->device);
	loop_io_abort(&f->disk);
	if (f->seekable) {
		loop_io_cancel(&f->wait);
		return !loop_io_armed(&f->disk);
	}
	f->over = true;
	if (!loop_io_armed(&f->disk) && double_buffer_bytes(&f->buffer))
		file_source_close(f);
	if (double_buffer_bytes(&f->buffer))
		loop_io_poll(&f->wait, p->inlet.fd, POLLOUT);
	return !loop_io_armed(&f->disk) && !double_buffer_bytes(&f->buffer);
}

const struct port_ops port_file_source = {
	.how = "splice",
	.dirs = PORT_SOURCES,
	.fits = file_port_fits,
	.size = sizeof(struct file_port),
	.init = file_source_init,
	.start = file_source_start,
	.stop = file_source_stop,
	.finish = file_port_finish,
};
