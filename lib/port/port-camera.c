/*
 * A source on a camera. While the channel has no room for a frame, the driver keeps the next ones and then drops
 * them, which shows as gaps in their sequence. A stream ends after a whole frame.
 */
#include "port-ops.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "camera.h"
#include "channel.h"
#include "engine.h"

struct camera_port {
	struct port port;
	struct loop_io frame; /* for the next frame */
	struct loop_io room;  /* for the channel's pipe */
	bool moving;          /* a frame is on its way */
	uint64_t frames;      /* that went whole */
	struct camera_counts counts; /* the last look, for a report after the end */
	const char *how;
	char format[64];
};

static struct camera_port *camera_of(struct port *p)
{
	return container_of(p, struct camera_port, port);
}

static void want_frame(struct camera_port *c)
{
	loop_io_poll(&c->frame, camera_fd(c->port.config.camera), POLLIN);
}

static void move(struct camera_port *c)
{
	struct port *p = &c->port;
	ssize_t n;

	while ((n = camera_move(p->config.camera, p->inlet.fd)) > 0)
		p->bytes += (uint64_t)n;
	c->moving = n == -EAGAIN;
	if (n == -EAGAIN)
		loop_io_poll(&c->room, p->inlet.fd, POLLOUT);
	else if (p->leaving)
		port_stopped(p);
	else if (n < 0 || ++c->frames == p->config.uri.frames)
		port_end(p, (int)n);
	else
		want_frame(c);
}

static void frame_ready(struct loop_io *io, int res)
{
	struct camera_port *c = container_of(io, struct camera_port, frame);
	int n = camera_next(c->port.config.camera);

	if (n > 0)
		move(c);
	else if (n == -EAGAIN)
		want_frame(c);
	else
		port_end(&c->port, n);
}

static void room_ready(struct loop_io *io, int res)
{
	move(container_of(io, struct camera_port, room));
}

static int init(struct port *p)
{
	struct camera_port *c = camera_of(p);
	struct loop *loop = p->channel->worker->loop;

	loop_io_init(&c->frame, loop, frame_ready);
	loop_io_init(&c->room, loop, room_ready);
	return 0;
}

static void start(struct port *p)
{
	want_frame(camera_of(p));
}

/* The frame at hand goes out whole first. */
static bool stop(struct port *p)
{
	struct camera_port *c = camera_of(p);

	loop_io_cancel(&c->frame);
	return !c->moving;
}

static void look(struct camera_port *c)
{
	const struct camera *cam = c->port.config.camera;

	if (!cam)
		return;
	camera_counts(cam, &c->counts);
	c->how = camera_method(cam);
	snprintf(c->format, sizeof(c->format), "%s", camera_format(cam));
}

static void finish(struct port *p)
{
	struct camera_port *c = camera_of(p);

	look(c);
	loop_io_cancel(&c->frame);
	loop_io_cancel(&c->room);
}

static int report(struct port *p, struct port_report *r)
{
	struct camera_port *c = camera_of(p);

	look(c);
	r->how = c->how;
	r->frames = c->counts.frames;
	r->dropped = c->counts.dropped;
	r->pages_ref = c->counts.pages_ref;
	r->copies = c->counts.copies;
	r->format = strdup(c->format);
	return r->format ? 0 : -ENOMEM;
}

const struct port_ops port_camera = {
	.how = "camera",
	.size = sizeof(struct camera_port),
	.init = init,
	.start = start,
	.stop = stop,
	.finish = finish,
	.report = report,
};
