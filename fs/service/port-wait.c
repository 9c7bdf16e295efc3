/*
 * The worker's word that a port has ended is a hint to look again: the waiter asks for the port as it is, and
 * asks once more where such a word came in the meantime. So none is missed, and none has to be remembered.
 */
#include "port-wait.h"

#include <errno.h>
#include <stdlib.h>

#include "attach.h"
#include "base.h"
#include "inode.h"
#include "log.h"
#include "tee.h"

struct keep {
	LIST_ENTRY(keep) entry;
	struct inode *inode;
	struct channel *channel;
	unsigned id;
};

/* From a worker to the FUSE thread. */
struct ended {
	struct loop_task task;
	struct server *server;
	struct channel *channel; /* never followed: it may be gone */
	unsigned id;
};

static void look(struct port_wait *w);

/* ---- keeping ---- */

static void keep_free(struct server *s, struct keep *k)
{
	LIST_REMOVE(k, entry);
	k->inode->busy--;
	tee_channel_put(s, k->inode);
	inode_put(k->inode);
	free(k);
}

void port_wait_keep(struct server *s, struct inode *inode, struct channel *ch, unsigned id)
{
	struct keep *k = calloc(1, sizeof(*k));

	if (!k) {
		log_err("out of memory; sink %u ends with the channel's last name", id);
		return;
	}
	*k = (struct keep){ .inode = inode, .channel = ch, .id = id };
	inode->refs++;
	inode->busy++;
	LIST_INSERT_HEAD(&s->keeps, k, entry);
}

void port_wait_leave(struct server *s)
{
	while (!LIST_EMPTY(&s->keeps))
		keep_free(s, LIST_FIRST(&s->keeps));
}

/* ---- the word ---- */

static void told(struct loop_task *task)
{
	struct ended *e = container_of(task, struct ended, task);
	struct server *s = e->server;
	struct port_wait *w;
	struct keep *k;

	LIST_FOREACH(k, &s->keeps, entry)
		if (k->channel == e->channel && k->id == e->id) {
			keep_free(s, k);
			break;
		}
	attach_ended(s, e->channel, e->id);
	LIST_FOREACH(w, &s->waits, entry)
		if (w->channel == e->channel && w->ask.id == e->id)
			look(w);
	free(e);
}

void port_wait_tell(void *server, struct channel *ch, unsigned id)
{
	struct ended *e = calloc(1, sizeof(*e));
	struct server *s = server;

	if (!e) {
		log_err("out of memory; who waits for port %u is not told", id);
		return;
	}
	*e = (struct ended){ .task.run = told, .server = s, .channel = ch, .id = id };
	loop_post(s->loop, &e->task);
}

/* ---- waiting ---- */

static void finish(struct port_wait *w)
{
	struct server *s = w->ask.server;
	struct inode *inode = w->ask.inode;

	loop_io_cancel(&w->timer);
	LIST_REMOVE(w, entry);
	w->done(w);
	inode->busy--;
	tee_channel_put(s, inode);
	inode_put(inode);
}

static void looked(struct ports_ask *a)
{
	struct port_wait *w = container_of(a, struct port_wait, ask);

	w->looking = false;
	if (w->ask.err == -ENOENT && w->seen)
		w->ask.why = "it was detached";
	w->seen = true;
	if (w->ask.err < 0 || w->ask.ended || w->due || w->cancelled) {
		finish(w);
		return;
	}
	json_decref(a->ports);
	a->ports = NULL;
	if (w->again)
		look(w);
}

static void look(struct port_wait *w)
{
	w->again = w->looking;
	if (w->looking)
		return;
	w->looking = true;
	ports_tell(&w->ask);
}

static void timer_ready(struct loop_io *io, int res)
{
	struct port_wait *w = container_of(io, struct port_wait, timer);

	w->due = true;
	look(w);
}

void port_wait_start(struct port_wait *w, uint64_t nsec)
{
	struct server *s = w->ask.server;

	w->ask.done = looked;
	w->ask.inode->refs++;
	w->ask.inode->busy++;
	w->channel = w->ask.inode->channel;
	loop_io_init(&w->timer, s->loop, timer_ready);
	if (nsec)
		loop_io_timer(&w->timer, nsec);
	LIST_INSERT_HEAD(&s->waits, w, entry);
	look(w);
}

void port_wait_cancel(struct port_wait *w)
{
	w->cancelled = true;
	if (w->looking)
		return;
	w->ask.err = -EINTR;
	finish(w);
}
