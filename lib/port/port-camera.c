/*
 * A source on a camera.
 *
 * A frame is moved whole before the next one is taken, on the channel's worker, which never waits for the device: while
 * the channel has no room for a frame, the driver keeps the next ones and then drops them, which shows as gaps in their
 * sequence. A stream ends after a whole frame, also where the camera is detached or unplugged in its middle.
 *
 * Where the driver wants its frames taken in another way, it stops and starts anew, which takes as long as it likes: that
 * is an errand's (errand.h), which has the camera meanwhile. One that does not come back ends the port, and closes the
 * camera when it does.
 */
#include "port-camera.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "bounce.h"
#include "camera.h"
#include "channel.h"
#include "clock.h"
#include "errand.h"
#include "worker.h"

/* For a driver to stop and to start anew. */
#define FALL_BACK_NSEC (10 * NSEC_PER_SEC)

const struct uri_option camera_frames = {
	.name = "frames",
	.dirs = PORT_SOURCES,
	.parse = uri_option_number,
	.what = "a number",
	.max = INT64_MAX,
};

/* ---- what was opened ---- */

static void camera_port_close(void *state)
{
	camera_close(state);
}

static const struct opened_ops camera_port_opened = { .close = camera_port_close };

struct opened camera_opened(struct camera *cam)
{
	return (struct opened){ .fd = camera_fd(cam), .ops = &camera_port_opened, .state = cam };
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
	struct camera_fall *fall; /* the camera is with it; NULL: with the port */
};

struct camera_fall {
	struct errand errand;
	struct camera_port *port; /* the loop's thread's; NULL: it has gone */
	struct opened opened;
	uid_t uid;
	int err;
};

static struct camera *camera_port_camera(const struct camera_port *c)
{
	return c->port.config.opened.state;
}

static struct camera_port *camera_port_of(struct port *p)
{
	return container_of(p, struct camera_port, port);
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
	else if (n < 0 || ++c->frames == uri_value(&p->config.uri, &camera_frames))
		port_end(p, (int)n);
	else
		camera_port_want(c);
}

/* ---- another way to take frames ---- */

static struct camera_fall *camera_fall_of(struct errand *e)
{
	return container_of(e, struct camera_fall, errand);
}

static void camera_fall_run(struct errand *e)
{
	struct camera_fall *fall = camera_fall_of(e);

	fall->err = camera_fall_back(fall->opened.state);
}

static void camera_fall_done(struct errand *e)
{
	struct camera_fall *fall = camera_fall_of(e);
	struct camera_port *c = fall->port;
	int err = e->late ? -ETIMEDOUT : fall->err;

	if (!c)
		return;
	c->fall = NULL;
	fall->port = NULL;
	if (!e->late)
		c->port.config.opened = opened_take(&fall->opened);
	if (c->port.leaving)
		port_stopped(&c->port);
	else if (err < 0)
		port_end(&c->port, err);
	else
		camera_port_want(c);
}

static void camera_fall_free(struct errand *e)
{
	struct camera_fall *fall = camera_fall_of(e);

	opened_close(&fall->opened, fall->uid);
	free(fall);
}

/* Returns 0 or a negative errno. */
static int camera_port_fall_back(struct camera_port *c)
{
	struct camera_fall *fall = calloc(1, sizeof(*fall));
	int err;

	if (!fall)
		return -ENOMEM;
	camera_port_look(c);
	fall->uid = c->port.config.rights.uid;
	fall->errand = (struct errand){
		.run = camera_fall_run,
		.done = camera_fall_done,
		.free = camera_fall_free,
		.loop = c->port.channel->worker->loop,
		.uid = fall->uid,
	};
	fall->port = c;
	fall->opened = opened_take(&c->port.config.opened);
	err = errand_start(&fall->errand, FALL_BACK_NSEC);
	if (err < 0) {
		c->port.config.opened = opened_take(&fall->opened);
		free(fall);
		return err;
	}
	c->fall = fall;
	return 0;
}

/* ---- its frames ---- */

static void camera_port_frame(struct loop_io *io, int res)
{
	struct camera_port *c = container_of(io, struct camera_port, frame);
	int n = camera_next(camera_port_camera(c));

	if (n > 0) {
		camera_port_move(c);
		return;
	}
	if (n == 0)
		n = camera_port_fall_back(c);
	else if (n == -EAGAIN)
		camera_port_want(c);
	if (n < 0 && n != -EAGAIN)
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

static void camera_port_finish(struct port *p)
{
	struct camera_port *c = camera_port_of(p);

	if (camera_port_camera(c))
		camera_drop(camera_port_camera(c)); /* a frame that cannot go out whole */
	camera_port_look(c);
	loop_io_cancel(&c->frame);
	loop_io_cancel(&c->room);
	if (c->fall) {
		c->fall->port = NULL;
		errand_abandon(&c->fall->errand);
		c->fall = NULL;
	}
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
		return !c->fall;
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
	port_report_how(r, c->how);
	r->frames = c->counts.frames;
	r->dropped = c->counts.dropped;
	r->pages_ref = c->counts.pages_ref;
	r->copies = c->counts.copies;
	r->format = strdup(c->format);
	return r->format ? 0 : -ENOMEM;
}

static bool camera_port_fits(const struct opened *o)
{
	return o->ops == &camera_port_opened;
}

const struct port_ops port_camera = {
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
