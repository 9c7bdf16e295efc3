/*
 * v4l2:/dev/videoN, a camera: a source only.
 *
 * A frame is moved whole before the next one is taken, on the channel's worker, which never waits for the device: while
 * the channel has no room for a frame, the driver keeps the next ones and then drops them, which shows as gaps in their
 * sequence. A stream ends after a whole frame, also where the camera is detached or unplugged in its middle.
 */
#include "kinds.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "bounce.h"
#include "camera.h"
#include "channel.h"
#include "open-path.h"
#include "port-ops.h"
#include "uri-address.h"
#include "uri-option.h"
#include "worker.h"

/* ---- options ---- */

static const struct uri_option v4l2_width = {
	.name = "width",
	.dirs = PORT_SOURCES,
	.parse = uri_option_number,
	.what = "pixels",
	.max = UINT16_MAX,
};

static const struct uri_option v4l2_height = {
	.name = "height",
	.dirs = PORT_SOURCES,
	.parse = uri_option_number,
	.what = "pixels",
	.max = UINT16_MAX,
};

static const struct uri_option v4l2_fps = {
	.name = "fps",
	.dirs = PORT_SOURCES,
	.parse = uri_option_number,
	.what = "a rate",
	.max = 1000,
};

/* 0: for ever. */
static const struct uri_option v4l2_frames = {
	.name = "frames",
	.dirs = PORT_SOURCES,
	.parse = uri_option_number,
	.what = "a number",
	.max = INT64_MAX,
};

/* Short ones are filled up with spaces, as V4L2's are: "Y16 ". */
static int kind_v4l2_parse_fourcc(const struct uri_option *option, const char *text, uint64_t *value)
{
	size_t n = strlen(text);
	uint32_t code = 0;

	if (n < 1 || n > 4)
		return -EINVAL;
	for (size_t i = 0; i < 4; i++) {
		unsigned char c = i < n ? (unsigned char)text[i] : ' ';

		if (!isascii(c) || !isprint(c))
			return -EINVAL;
		code |= (uint32_t)c << (8 * i);
	}
	*value = code;
	return 0;
}

static const struct uri_option v4l2_format = {
	.name = "format",
	.dirs = PORT_SOURCES,
	.parse = kind_v4l2_parse_fourcc,
	.what = "a fourcc",
};

/* ---- opening ---- */

static int kind_v4l2_parse(struct uri *uri, char *address, char why[URI_WHY_MAX])
{
	return uri_address_path(uri, address, PATH_MAX, why);
}

static void kind_v4l2_close(void *state)
{
	camera_close(state);
}

static const struct opened_ops v4l2_opened = { .close = kind_v4l2_close };

static int kind_v4l2_open(struct attempt *a)
{
	const struct camera_wish wish = {
		.width = (unsigned)uri_value(&a->uri, &v4l2_width),
		.height = (unsigned)uri_value(&a->uri, &v4l2_height),
		.fps = (unsigned)uri_value(&a->uri, &v4l2_fps),
		.format = (uint32_t)uri_value(&a->uri, &v4l2_format),
	};
	struct camera *cam = NULL;
	struct stat st;
	int fd = open_path(a, O_RDWR | O_NONBLOCK, 0, &st);
	int err = fd < 0 ? fd : camera_open(&cam, fd, &wish, a->why);

	if (err < 0)
		return err;
	a->opened = (struct opened){ .fd = camera_fd(cam), .ops = &v4l2_opened, .state = cam };
	return 0;
}

/* ---- the port ---- */

struct camera_port {
	struct port port;
	struct loop_io frame;        /* for the next frame */
	struct loop_io room;         /* for the channel's pipe */
	bool moving;                 /* a frame is on its way */
	struct bounce rest;          /* of a frame whose camera is closed already */
	uint64_t frames;             /* that went whole */
	struct camera_counts counts; /* the last look, for a report after the end */
	const char *how;
	char format[64];
};

static struct camera *camera_port_camera(const struct camera_port *c)
{
	return c->port.config.opened.state;
}

static struct camera_port *camera_port_of(struct port *p)
{
	return container_of(p, struct camera_port, port);
}

static void camera_port_want(struct camera_port *c)
{
	loop_io_poll(&c->frame, c->port.config.opened.fd, POLLIN);
}

/* Returns as camera_move() does. */
static ssize_t camera_port_move_some(struct camera_port *c)
{
	if (c->port.closes)
		return c->rest.len ? bounce_give(&c->rest, c->port.inlet.fd) : 0;
	return camera_move(camera_port_camera(c), c->port.inlet.fd);
}

static void camera_port_move(struct camera_port *c)
{
	struct port *p = &c->port;
	ssize_t n;

	while ((n = camera_port_move_some(c)) > 0)
		p->bytes += (uint64_t)n;
	c->moving = n == -EAGAIN;
	if (n == -EAGAIN)
		loop_io_poll(&c->room, p->inlet.fd, POLLOUT);
	else if (p->leaving)
		port_stopped(p);
	else if (n < 0 || ++c->frames == uri_value(&p->config.uri, &v4l2_frames))
		port_end(p, (int)n);
	else
		camera_port_want(c);
}

static void camera_port_frame(struct loop_io *io, int res)
{
	struct camera_port *c = container_of(io, struct camera_port, frame);
	int n = camera_next(camera_port_camera(c));

	if (n > 0)
		camera_port_move(c);
	else if (n == -EAGAIN)
		camera_port_want(c);
	else
		port_end(&c->port, n);
}

static void camera_port_room(struct loop_io *io, int res)
{
	camera_port_move(container_of(io, struct camera_port, room));
}

static int camera_port_init(struct port *p)
{
	struct camera_port *c = camera_port_of(p);
	struct loop *loop = p->channel->worker->loop;

	loop_io_init(&c->frame, loop, camera_port_frame);
	loop_io_init(&c->room, loop, camera_port_room);
	return 0;
}

static void camera_port_start(struct port *p)
{
	camera_port_want(camera_port_of(p));
}

static void camera_port_look(struct camera_port *c)
{
	const struct camera *cam = camera_port_camera(c);

	if (!cam)
		return;
	camera_counts(cam, &c->counts);
	c->how = camera_method(cam);
	snprintf(c->format, sizeof(c->format), "%s", camera_format(cam));
}

static void camera_port_finish(struct port *p)
{
	struct camera_port *c = camera_port_of(p);

	if (camera_port_camera(c))
		camera_drop(camera_port_camera(c)); /* a frame that cannot go out whole */
	camera_port_look(c);
	loop_io_cancel(&c->frame);
	loop_io_cancel(&c->room);
	p->lost += c->rest.len;
	bounce_finish(&c->rest);
}

/*
 * The frame at hand goes out whole first; from memory of our own, so that the camera is free at once. Where there is no
 * memory it stays open for as long as that takes.
 */
static bool camera_port_stop(struct port *p)
{
	struct camera_port *c = camera_port_of(p);
	const char *rest;
	size_t len;

	loop_io_cancel(&c->frame);
	if (!c->moving)
		return true;
	rest = camera_rest(camera_port_camera(c), &len);
	if (rest && bounce_ready(&c->rest, len) == 0) {
		memcpy(c->rest.buf, rest, len);
		c->rest.len = len;
		camera_port_look(c);
		port_close(p);
	}
	return false;
}

static int camera_port_report(struct port *p, struct port_report *r)
{
	struct camera_port *c = camera_port_of(p);

	camera_port_look(c);
	r->how = c->how;
	r->frames = c->counts.frames;
	r->dropped = c->counts.dropped;
	r->pages_ref = c->counts.pages_ref;
	r->copies = c->counts.copies;
	r->format = strdup(c->format);
	return r->format ? 0 : -ENOMEM;
}

static bool camera_port_fits(const struct opened *o, mode_t type)
{
	return o->ops == &v4l2_opened;
}

static const struct port_ops camera_ops = {
	.how = "camera",
	.dirs = PORT_SOURCES,
	.fits = camera_port_fits,
	.size = sizeof(struct camera_port),
	.init = camera_port_init,
	.start = camera_port_start,
	.stop = camera_port_stop,
	.finish = camera_port_finish,
	.report = camera_port_report,
};

/* ---- the row ---- */

static const struct uri_option *const v4l2_options[] = {
	&v4l2_width, &v4l2_height, &v4l2_format, &v4l2_fps, &v4l2_frames, NULL,
};

static const struct port_ops *const v4l2_ops[] = { &camera_ops, NULL };

const struct port_kind port_kind_v4l2 = {
	.name = "v4l2",
	.dirs = PORT_SOURCES,
	.path = true,
	.parse = kind_v4l2_parse,
	.options = v4l2_options,
	.open = kind_v4l2_open,
	.ops = v4l2_ops,
};
