/* A source on a regular file, block or character device. */
#include "port-file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>

#include "channel.h"
#include "log.h"
#include "sys.h"

static void fill(struct file_port *f)
{
	struct lane *lane = &f->lanes[f->fill];
	size_t size = (size_t)lane->size, len = f->left < size ? (size_t)f->left : size;

	if (f->over || lane->bytes || f->port.leaving || loop_io_armed(&f->disk))
		return;
	f->port.copying = *port_stable(&f->port);
	if (len && f->port.copying)
		f->err = bounce_ready(&lane->bounce, size);
	f->over = len == 0 || f->err < 0;
	if (f->over)
		return;
	if (f->port.copying)
		loop_io_read(&f->disk, f->port.config.opened.fd, file_place(f), lane->bounce.buf, size, len);
	else
		loop_io_splice(&f->disk, f->port.config.opened.fd, file_place(f), lane->pipe.wr, -1, len);
}

/* Into the channel's pipe, what it takes. Returns the bytes or a negative errno. */
static ssize_t hand_on(struct file_port *f, struct lane *lane)
{
	bool copied = lane->bounce.len;
	ssize_t n = copied ? bounce_give(&lane->bounce, f->port.inlet.fd) :
			     sys.splice(lane->pipe.rd, f->port.inlet.fd, lane->bytes);

	if (n > 0 && copied)
		port_copied(&f->port, (size_t)n);
	else if (n > 0)
		port_moved(&f->port, (size_t)n);
	return n;
}

static void drain(struct file_port *f)
{
	struct lane *lane;

	while ((lane = &f->lanes[f->drain])->bytes) {
		ssize_t n = hand_on(f, lane);

		if (n == -EAGAIN) {
			loop_io_poll(&f->wait, f->port.inlet.fd, POLLOUT);
			return;
		}
		if (n <= 0) {
			port_end(&f->port, n < 0 ? (int)n : -EIO);
			return;
		}
		lane->bytes -= (size_t)n;
		if (lane->bytes)
			continue;
		lane_next(&f->drain);
		fill(f);
	}
	if (f->over)
		port_end(&f->port, f->err);
}

/* Nothing more to read: the end of the file, where it should be, or an error. */
static void reached_end(struct file_port *f, int err)
{
	struct port *p = &f->port;

	f->over = true;
	f->err = err;
	if (err < 0 || !f->seekable || (f->offset >= f->size && f->left == FILE_TO_END))
		return;
	log_warn("%s: port %u: %s ends at byte %ju, before its end when it was attached", p->channel->label, p->id,
		 p->config.uri.text, (uintmax_t)f->offset);
	f->err = -ENODATA;
}

static void disk(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, disk);

	if (f->port.leaving) {
		port_stopped(&f->port);
		return;
	}
	if (res > 0) {
		struct lane *lane = &f->lanes[f->fill];

		lane->bytes = (size_t)res;
		lane->bounce.at = 0;
		lane->bounce.len = f->port.copying ? lane->bytes : 0;
		f->offset += (uint64_t)res;
		if (f->left != FILE_TO_END)
			f->left -= (uint64_t)res;
		lane_next(&f->fill);
		fill(f);
	} else {
		reached_end(f, res);
	}
	drain(f);
}

static void wait(struct loop_io *io, int res)
{
	drain(container_of(io, struct file_port, wait));
}

static int init(struct port *p)
{
	struct file_port *f = file_of(p);
	uint64_t offset = uri_value(&p->config.uri, &file_offset), length = uri_value(&p->config.uri, &file_length);
	int err = file_init(p, disk, wait);

	if (err < 0)
		return err;
	if (f->seekable) {
		f->offset += offset;
		f->left = length;
		posix_fadvise(p->config.opened.fd, (off_t)f->offset, 0, POSIX_FADV_SEQUENTIAL);
	} else if (offset || length != FILE_TO_END) {
		return -ESPIPE;
	}
	p->total = f->left != FILE_TO_END ? f->left : f->size > f->offset ? f->size - f->offset : 0;
	return 0;
}

static void start(struct port *p)
{
	struct file_port *f = file_of(p);

	fill(f);
	drain(f);
}

static bool stop(struct port *p)
{
	struct file_port *f = file_of(p);

	loop_io_cancel(&f->wait);
	loop_io_abort(&f->disk);
	return !loop_io_armed(&f->disk);
}

const struct port_ops port_file_source = {
	.how = "splice",
	.dirs = PORT_SOURCES,
	.fits = file_fits,
	.size = sizeof(struct file_port),
	.init = init,
	.start = start,
	.stop = stop,
	.finish = file_finish,
};
