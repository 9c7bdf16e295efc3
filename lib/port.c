/*
 * The list of a channel's ports: the running ones, the sources that wait for their turn, and the latest that have
 * ended, so that somebody can ask how.
 *
 * A failed sink on the origin keeps its private tap, so that nothing is lost: the next sink there goes on with it.
 */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "aside.h"
#include "base.h"
#include "camera.h"
#include "channel.h"
#include "engine.h"
#include "log.h"
#include "pipe.h"
#include "port-ops.h"

/* Ended ports that are remembered. */
#define ENDED_MAX 32

const char *port_state_name(enum port_state state)
{
	static const char *const names[] = {
		[PORT_WAITING] = "waiting", [PORT_RUNNING] = "running", [PORT_LISTENING] = "listening",
		[PORT_RETRYING] = "retrying", [PORT_DONE] = "done", [PORT_FAILED] = "failed",
	};

	return names[state];
}

static bool has_ended(const struct port *p)
{
	return p->state == PORT_DONE || p->state == PORT_FAILED;
}

static struct port *find(const struct channel *ch, unsigned id)
{
	struct port *p;

	TAILQ_FOREACH(p, &ch->ports, entry)
		if (p->id == id)
			break;
	return p;
}

/* The next one on the list, which may have changed since @id was looked at: numbers only grow. */
static struct port *find_after(const struct channel *ch, unsigned id)
{
	struct port *p;

	TAILQ_FOREACH(p, &ch->ports, entry)
		if (p->id > id)
			break;
	return p;
}

static void tell(struct port *p)
{
	const struct engine_events *events = &p->channel->worker->events;

	if (events->port_ended)
		events->port_ended(events->data, p->channel, p->id);
}

/* ---- the end ---- */

/* A sink leaves its tap: a private one goes, a name's keeps what is in it. */
static void leave_tap(struct port *p)
{
	fd_close(&p->pipe);
	if (p->tap >= TAP_PRIVATE) {
		const struct tap *tap = channel_find_tap(p->channel, p->tap);
		size_t left = tap ? tap_waiting(tap) : 0;

		if (left)
			log_info("%s: port %u dropped %zu bytes that it had not moved", p->channel->label, p->id, left);
		channel_remove_tap(p->channel, p->tap);
	}
	p->tap = 0;
}

static void destroy(struct port *p)
{
	p->ops->finish(p);
	inlet_close(&p->inlet);
	fd_close(&p->pipe);
	aside_close(&p->config.fd);
	camera_close(p->config.camera);
	uri_finish(&p->config.uri);
	rights_finish(&p->config.rights);
	free(p);
}

void port_destroy_all(struct channel *ch)
{
	struct port *p;

	while ((p = TAILQ_FIRST(&ch->ports)) || (p = TAILQ_FIRST(&ch->leaving))) {
		TAILQ_REMOVE(p->leaving ? &ch->leaving : &ch->ports, p, entry);
		destroy(p);
	}
}

/* The oldest of too many ended ports is forgotten. */
static void forget_old(struct channel *ch)
{
	struct port *p, *oldest = NULL;
	unsigned ended = 0;

	TAILQ_FOREACH(p, &ch->ports, entry) {
		if (!has_ended(p) || p->tap >= TAP_PRIVATE)
			continue;
		if (!oldest)
			oldest = p;
		ended++;
	}
	if (ended < ENDED_MAX)
		return;
	TAILQ_REMOVE(&ch->ports, oldest, entry);
	destroy(oldest);
}

/* The first source that has not ended plays. */
static void next_source(struct channel *ch)
{
	struct port *p;

	TAILQ_FOREACH(p, &ch->ports, entry)
		if (p->config.dir == PORT_SOURCE && !has_ended(p))
			break;
	if (!p || p->state != PORT_WAITING)
		return;
	p->state = PORT_RUNNING;
	p->ops->start(p);
}

void port_end(struct port *p, int err)
{
	struct channel *ch = p->channel;

	p->state = err < 0 ? PORT_FAILED : PORT_DONE;
	p->err = err;
	if (err < 0)
		log_warn("%s: port %u, %s: %s", ch->label, p->id, p->config.uri.text, strerror(-err));
	else
		log_debug("%s: port %u, %s, is done", ch->label, p->id, p->config.uri.text);
	p->ops->finish(p);
	aside_close(&p->config.fd);
	camera_close(p->config.camera);
	p->config.camera = NULL;
	inlet_close(&p->inlet);
	if (p->config.dir == PORT_SINK && (err == 0 || p->tap < TAP_PRIVATE))
		leave_tap(p);
	tell(p);
	next_source(ch);
}

void port_stopped(struct port *p)
{
	struct channel *ch = p->channel;

	TAILQ_REMOVE(&ch->leaving, p, entry);
	if (p->config.dir == PORT_SINK)
		leave_tap(p);
	destroy(p);
	next_source(ch);
}

int port_detach(struct channel *ch, unsigned id)
{
	struct port *p = find(ch, id);

	if (!p)
		return -ENOENT;
	TAILQ_REMOVE(&ch->ports, p, entry);
	TAILQ_INSERT_TAIL(&ch->leaving, p, entry);
	p->leaving = true;
	p->inlet.stream = false;
	if (!has_ended(p))
		tell(p);
	if (has_ended(p) || p->state == PORT_WAITING || p->ops->stop(p))
		port_stopped(p);
	return 0;
}

void port_name_gone(struct channel *ch, uint64_t id)
{
	struct tap *tap = channel_find_tap(ch, id);
	struct port *p;

	for (unsigned last = 0; (p = find_after(ch, last));) {
		last = p->id;
		if (p->config.dir != PORT_SINK || p->config.node != id || has_ended(p))
			continue;
		if (p->ops->name_gone)
			p->ops->name_gone(p);
		else if (tap)
			outlet_hold(&tap->outlet); /* a FIFO that had no writer yet has no end */
	}
}

void port_stream_over(struct channel *ch)
{
	struct port *p;

	for (unsigned last = 0; (p = find_after(ch, last));) {
		last = p->id;
		if (p->ops->stream_over && p->state != PORT_WAITING && !has_ended(p))
			p->ops->stream_over(p);
	}
}

void port_drained(struct port *p)
{
	struct tap *tap = p->tap >= TAP_PRIVATE ? channel_find_tap(p->channel, p->tap) : NULL;

	if (tap)
		tap_look(tap);
}

int port_look(int fd, struct statx *st)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, st) < 0 ? -errno : 0;
}

void port_moved(struct port *p, size_t bytes)
{
	p->bytes += bytes;
	p->pages_ref += pipe_pages(bytes);
}

/* ---- attaching ---- */

static int refuse(char why[URI_WHY_MAX], int err, const char *text)
{
	snprintf(why, URI_WHY_MAX, "%s", text);
	return err;
}

static int socket_ops(const struct port_config *config, const struct port_ops **ops, char why[URI_WHY_MAX])
{
	int type = 0, listening = 0;
	socklen_t len = sizeof(int);

	getsockopt(config->fd, SOL_SOCKET, SO_TYPE, &type, &len);
	if (type != SOCK_STREAM)
		return refuse(why, -EINVAL, "not a stream socket");
	getsockopt(config->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
	if (!listening)
		*ops = &port_stream;
	else
		*ops = config->dir == PORT_SOURCE ? &port_listen_source : &port_listen_sink;
	return 0;
}

/* What is behind the descriptor decides; the URI only said how to open it. */
static int choose(const struct port_config *config, const struct port_ops **ops, char why[URI_WHY_MAX])
{
	struct statx st;
	int flags;

	if (config->camera) {
		*ops = &port_camera;
		return 0;
	}
	flags = fcntl(config->fd, F_GETFL);
	if (flags < 0 || port_look(config->fd, &st) < 0)
		return refuse(why, -errno, "not a descriptor");
	if ((flags & O_PATH) || (flags & O_ACCMODE) == (config->dir == PORT_SOURCE ? O_WRONLY : O_RDONLY))
		return refuse(why, -EBADF, config->dir == PORT_SOURCE ? "not open for reading" : "not open for writing");
	if (S_ISSOCK(st.stx_mode))
		return socket_ops(config, ops, why);
	if (S_ISFIFO(st.stx_mode))
		*ops = &port_stream;
	else if (S_ISREG(st.stx_mode) || S_ISBLK(st.stx_mode) || S_ISCHR(st.stx_mode))
		*ops = config->dir == PORT_SOURCE ? &port_file_source : &port_file_sink;
	else
		return refuse(why, -EINVAL, "nothing that has a stream of bytes");
	return 0;
}

/* A failed sink of the origin hands its tap over, unless that has gone at its stream's end. */
static bool adopt(struct port *p)
{
	struct port *old;

	TAILQ_FOREACH(old, &p->channel->ports, entry) {
		if (old->state != PORT_FAILED || old->tap < TAP_PRIVATE)
			continue;
		if (!channel_find_tap(p->channel, old->tap)) {
			leave_tap(old);
			continue;
		}
		p->pipe = fd_take(&old->pipe);
		p->tap = old->tap;
		old->tap = 0;
		return true;
	}
	return false;
}

/* Opens the channel's end of the port. */
static int join(struct port *p)
{
	struct channel *ch = p->channel;
	struct fifo fifo = { .dir = ch->origin.dir, .id = p->config.node };
	int err;

	if (p->ops->late)
		return 0;
	if (p->config.dir == PORT_SOURCE) {
		p->inlet.stream = true;
		err = inlet_open(&p->inlet, ch);
		if (err == 0)
			pipe_grow(p->inlet.fd, PIPE_SIZE);
		return err;
	}
	if (p->config.node == ch->origin.id)
		return adopt(p) ? 0 : channel_add_private_tap(ch, &p->tap, &p->pipe);
	if (!channel_find_tap(ch, p->config.node))
		return -ENOENT;
	p->tap = p->config.node;
	p->pipe = fifo_open(&fifo, O_RDONLY, 0);
	return p->pipe < 0 ? p->pipe : 0;
}

int port_attach(struct channel *ch, struct port_config *config, unsigned *id, char why[URI_WHY_MAX])
{
	const struct port_ops *ops = NULL;
	struct port *p;
	int err = choose(config, &ops, why);

	if (err < 0)
		return err;
	p = calloc(1, ops->size);
	if (!p)
		return refuse(why, -ENOMEM, strerror(ENOMEM));
	p->ops = ops;
	p->channel = ch;
	p->config = *config;
	p->inlet = INLET_NONE;
	p->pipe = -1;
	err = fifo_fd_check(config->fd);
	if (err == 0)
		err = ops->init(p);
	if (err == 0)
		err = join(p);
	if (err < 0) {
		ops->finish(p);
		free(p);
		return refuse(why, err, strerror(-err));
	}
	forget_old(ch);
	p->id = *id = ++ch->last_port;
	TAILQ_INSERT_TAIL(&ch->ports, p, entry);
	memset(config, 0, sizeof(*config));
	config->fd = -1;
	p->state = PORT_WAITING;
	if (p->config.dir == PORT_SOURCE) {
		next_source(ch);
	} else {
		p->state = PORT_RUNNING;
		ops->start(p);
	}
	return 0;
}

int port_report(struct port *p, struct port_report *r)
{
	*r = (struct port_report){
		.id = p->id, .dir = p->config.dir, .state = p->state,
		.node = p->config.node, .how = p->ops->how,
		.bytes = p->bytes, .total = p->total, .pages_ref = p->pages_ref, .copies = p->copies,
		.err = p->err,
	};
	r->uri = strdup(p->config.uri.text);
	if (p->err < 0)
		r->error = strdup(strerror(-p->err));
	if (!r->uri || (p->err < 0 && !r->error))
		return -ENOMEM;
	return p->ops->report ? p->ops->report(p, r) : 0;
}

void port_report_finish(struct port_report *r)
{
	free(r->uri);
	free(r->format);
	free(r->error);
}
