/* How a port comes to be: what is behind its descriptor, and the channel's end of it. */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base.h"
#include "channel.h"
#include "pipe.h"
#include "port-ops.h"

int port_look(int fd, struct statx *st)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, st) < 0 ? -errno : 0;
}

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

	TAILQ_FOREACH(old, &p->list->ports, entry) {
		if (old->state != PORT_FAILED || old->tap < TAP_PRIVATE)
			continue;
		if (!channel_find_tap(p->channel, old->tap)) {
			port_leave_tap(old);
			continue;
		}
		p->pipe = fd_take(&old->pipe);
		p->tap = old->tap;
		old->tap = 0;
		channel_set(p->channel, p->tap, SETTING_POLICY, p->config.limits.settings.value[SETTING_POLICY]);
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
		return adopt(p) ? 0 : channel_add_private_tap(ch, &p->tap, &p->pipe, &p->config.limits);
	if (!channel_find_tap(ch, p->config.node))
		return -ENOENT;
	p->tap = p->config.node;
	p->pipe = fifo_open(&fifo, O_RDONLY, 0);
	if (p->pipe < 0)
		return p->pipe;
	return p->config.uri.rate ? channel_set(ch, p->tap, SETTING_RATE, p->config.uri.rate) : 0;
}

int port_attach(struct channel *ch, struct port_config *config, unsigned *id, char why[URI_WHY_MAX])
{
	struct port_list *list = port_list_make(ch);
	const struct port_ops *ops = NULL;
	struct port *p;
	int err = choose(config, &ops, why);

	if (err < 0)
		return err;
	err = fifo_fd_check(config->fd);
	if (err < 0)
		return refuse(why, err, strerror(-err));
	if (config->dir == PORT_SOURCE && ch->settings.value[SETTING_PACKETS])
		return refuse(why, -EINVAL, "a source knows no messages, this is a packet channel");
	p = list ? calloc(1, ops->size) : NULL;
	if (!p)
		return refuse(why, -ENOMEM, strerror(ENOMEM));
	p->ops = ops;
	p->channel = ch;
	p->list = list;
	p->config = *config;
	if (config->uri.rate)
		p->config.limits.settings.value[SETTING_RATE] = config->uri.rate;
	p->inlet = INLET_NONE;
	p->pipe = -1;
	err = ops->init(p);
	if (err == 0)
		err = join(p);
	if (err < 0) {
		ops->finish(p);
		free(p);
		return refuse(why, err, strerror(-err));
	}
	port_forget_old(list);
	p->id = *id = ++list->last;
	TAILQ_INSERT_TAIL(&list->ports, p, entry);
	memset(config, 0, sizeof(*config));
	config->fd = -1;
	p->state = PORT_WAITING;
	if (p->config.dir == PORT_SOURCE) {
		port_next_source(list);
	} else {
		p->state = PORT_RUNNING;
		ops->start(p);
	}
	return 0;
}
