#include "port-file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "attempt.h"
#include "channel.h"
#include "clock.h"
#include "file-claim.h"
#include "lane.h"
#include "log.h"
#include "worker.h"

/* For a device that says it is ready, and is not. */
#define PAUSE_NSEC (NSEC_PER_SEC / 50)

void file_port_advise(int fd)
{
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

int file_port_claim(struct attempt *a, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct statx st;
	int err;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) < 0)
		return attempt_failed(a, "open", -errno);
	if (!S_ISREG(st.stx_mode))
		return a->after.follows ? uri_refuse(a->why, -EINVAL, "it is no regular file any more") : 0;
	a->opened.file.dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	a->opened.file.ino = st.stx_ino;
	if (a->after.follows && a->after.present.dev == a->opened.file.dev && a->after.present.ino == st.stx_ino)
		return uri_refuse(a->why, -EALREADY, "it is the file that is open");
	err = file_claim_take(&a->opened.claim, a->opened.file.dev, st.stx_ino, flags & O_APPEND);
	if (err == -EBUSY)
		return uri_refuse(a->why, err, "another sink writes to this file: both must append, or one end before");
	return err < 0 ? attempt_failed(a, "open", err) : 0;
}

static int file_port_personality_add(void *data)
{
	struct file_port *f = data;

	f->personality = lane_personality_add(f->lane);
	return f->personality < 0 ? f->personality : 0;
}

/* Returns 0 or a negative errno. */
static int file_port_act_as_attacher(struct file_port *f)
{
	const struct rights *rights = &f->port.config.rights;
	int err = lane_get(f->disk.loop, rights->uid, &f->lane);

	if (err < 0)
		return err;
	err = rights_lend(rights, file_port_personality_add, f);
	if (err < 0) {
		log_user_warn(rights->uid, "%s: the rights of user %u cannot be had: %s", f->port.channel->label,
			      rights->uid, strerror(-err));
		f->personality = 0;
		return err;
	}
	loop_io_act_as(&f->disk, f->lane, f->personality);
	loop_io_act_as(&f->look, f->lane, f->personality);
	return 0;
}

/* ---- a device is ready ---- */

static void file_port_wait_for_device(struct file_port *f)
{
	loop_io_poll(&f->device, f->port.config.opened.fd, f->port.config.dir == PORT_SOURCE ? POLLIN : POLLOUT);
}

static void file_port_device(struct loop_io *io, int res)
{
	struct file_port *f = container_of(io, struct file_port, device);

	f->ready = !f->pausing;
	f->pausing = false;
	if (f->ready || f->seekable)
		f->calls->move(f);
	else
		file_port_wait_for_device(f);
}

bool file_port_ready(struct file_port *f)
{
	bool ready = f->seekable || f->ready;

	f->ready = false;
	if (!ready)
		file_port_wait_for_device(f);
	return ready;
}

bool file_port_again(struct file_port *f, int res)
{
	if (f->port.leaving || (res != -EINTR && res != -ECANCELED && (res != -EAGAIN || f->seekable)))
		return false;
	f->pausing = true;
	loop_io_timer(&f->device, PAUSE_NSEC);
	return true;
}

bool file_port_hung_up(const struct file_port *f)
{
	struct pollfd p = { .fd = f->port.config.opened.fd };

	return f->port.config.opened.terminal && poll(&p, 1, 0) > 0 && (p.revents & POLLHUP);
}

/* ---- its begin and end ---- */

int file_port_init(struct port *p, const struct file_port_calls *calls)
{
	struct loop *loop = p->channel->worker->loop;
	struct file_port *f = file_port_of(p);
	const struct opened *o = &p->config.opened;
	int err;

	f->calls = calls;
	f->buffer = DOUBLE_BUFFER_NONE;
	loop_io_init(&f->disk, loop, calls->disk);
	loop_io_init(&f->look, loop, calls->look);
	loop_io_init(&f->wait, loop, calls->wait);
	loop_io_init(&f->device, loop, file_port_device);
	f->charge.account = p->config.limits.account;
	err = charge_set(&f->charge, (uint64_t)HALVES * PIPE_SIZE);
	if (err == 0)
		err = file_port_act_as_attacher(f);
	if (err < 0)
		return err;
	f->seekable = S_ISREG(o->type) || S_ISBLK(o->type);
	f->size = S_ISREG(o->type) ? o->size : 0;
	f->left = FILE_TO_END;
	if (f->seekable)
		f->offset = o->position;
	return double_buffer_open(&f->buffer);
}

void file_port_fence(struct file_port *f)
{
	if (f->lane && f->port.config.opened.fd >= 0)
		loop_io_fence(f->disk.loop, f->lane, f->port.config.opened.fd);
}

void file_port_finish(struct port *p)
{
	struct file_port *f = file_port_of(p);
	bool busy = loop_io_armed(&f->disk), looks = loop_io_armed(&f->look);
	size_t left = double_buffer_bytes(&f->buffer);

	loop_io_cancel(&f->disk);
	loop_io_cancel(&f->look);
	loop_io_cancel(&f->wait);
	loop_io_cancel(&f->device);
	loop_io_cancel(&f->again);
	if (looks)
		f->looked = (struct bounce){ 0 };
	bounce_finish(&f->looked);
	if (busy && f->lent) /* the loop's now */
		*f->lent = (struct bounce){ 0 };
	if (left && !(f->seekable && p->config.dir == PORT_SOURCE)) { /* else it is still in the file */
		log_user_info(p->config.rights.uid, "%s: port %u dropped %zu bytes that it had in hand",
			      p->channel->label, p->id, left);
		p->lost += left;
	}
	double_buffer_finish(&f->buffer, busy, f->disk.loop, p->config.rights.uid);
	lane_personality_remove(f->lane, f->personality);
	f->personality = 0;
	file_port_fence(f);
	lane_put(f->lane);
	f->lane = NULL;
	charge_finish(&f->charge);
}

bool file_port_fits(const struct opened *o)
{
	return !o->ops && (S_ISREG(o->type) || S_ISBLK(o->type) || S_ISCHR(o->type));
}

const struct uri_option file_offset = {
	.name = "offset",
	.dirs = PORT_SOURCES,
	.parse = uri_option_size,
	.what = "a size",
	.max = INT64_MAX,
};

const struct uri_option file_length = {
	.name = "length",
	.dirs = PORT_SOURCES,
	.parse = uri_option_size,
	.what = "a size",
	.max = INT64_MAX,
	.preset = FILE_TO_END,
};

const struct uri_option file_append = {
	.name = "append",
	.dirs = PORT_SINKS,
	.parse = uri_option_flag,
	.what = "0 or 1",
};
