/*
 * The worker's word that a port has ended is a hint to look again: the waiter asks for the port as it is, and
 * asks once more where such a word came in the meantime. So none is missed, and none has to be remembered.
 */
#include "port-wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "base.h"
#include "channel.h"
#include "log.h"
#include "services.h"

/* A port of a channel, as it is looked up. */
struct port_keep_key {
	const struct channel *channel;
	unsigned id;
};

struct port_keep {
	UT_hash_handle by_key;
	struct port_keep_key key;
	struct context *ctx;
	struct hold hold;
};

/* From a worker to the FUSE thread. */
struct port_end {
	struct loop_task task;
	struct context *ctx;
	struct channel *channel; /* never followed: it may be gone */
	unsigned id;
};

static void port_wait_look(struct port_wait *w);

/* ---- keeping ---- */

/* Without what the compiler puts in between, which is a part of the key. */
static void port_keep_name(struct port_keep_key *key, const struct channel *ch, unsigned id)
{
	memset(key, 0, sizeof(*key));
	key->channel = ch;
	key->id = id;
}

static struct port_keep *port_keep_find(const struct services *services, const struct channel *ch, unsigned id)
{
	struct port_keep_key key;
	struct port_keep *k;

	port_keep_name(&key, ch, id);
	HASH_FIND(by_key, services->keeps, &key, sizeof(key), k);
	return k;
}

static void port_keep_free(struct port_keep *k)
{
	HASH_DELETE(by_key, k->ctx->services->keeps, k);
	hold_drop(&k->hold);
	free(k);
}

void port_wait_keep(const struct hold *hold, unsigned id)
{
	struct port_keep *k = calloc(1, sizeof(*k));

	if (k) {
		port_keep_name(&k->key, hold_channel(hold), id);
		HASH_ADD(by_key, hold->ctx->services->keeps, key, sizeof(k->key), k);
	}
	if (!k || !k->by_key.tbl) {
		log_user_err(hold_channel(hold)->user, "out of memory; sink %u ends with the channel's last name", id);
		free(k);
		return;
	}
	k->ctx = hold->ctx;
	hold_copy(&k->hold, hold);
}

void port_wait_leave(struct context *ctx)
{
	struct port_keep *k, *next;

	HASH_ITER(by_key, ctx->services->keeps, k, next)
		port_keep_free(k);
}

/* ---- the word ---- */

static void port_wait_told(struct loop_task *task)
{
	struct port_end *e = container_of(task, struct port_end, task);
	struct services *services = e->ctx->services;
	struct port_keep *k = port_keep_find(services, e->channel, e->id);
	struct port_wait *w, *next;

	if (k)
		port_keep_free(k);
	attach_ended(e->ctx, e->channel, e->id);
	for (w = LIST_FIRST(&services->waits); w; w = next) {
		next = LIST_NEXT(w, entry);
		if (hold_is_of(w->hold.inode, e->channel) && w->ask.id == e->id)
			port_wait_look(w);
	}
	free(e);
}

void port_wait_tell(void *data, struct channel *ch, unsigned id)
{
	struct port_end *e = calloc(1, sizeof(*e));
	struct context *ctx = data;

	if (!e) {
		log_user_err(ch->user, "out of memory; who waits for port %u is not told", id);
		return;
	}
	*e = (struct port_end){ .task.run = port_wait_told, .ctx = ctx, .channel = ch, .id = id };
	loop_post(ctx->loop, &e->task);
}

/* ---- waiting ---- */

static void port_wait_finish(struct port_wait *w)
{
	struct hold hold = w->hold;

	loop_io_cancel(&w->timer);
	LIST_REMOVE(w, entry);
	w->done(w);
	hold_drop(&hold);
}

static void port_wait_looked(struct ports_ask *a)
{
	struct port_wait *w = container_of(a, struct port_wait, ask);

	w->looking = false;
	if (a->err == -ENOENT && w->seen)
		a->why = "it was detached";
	w->seen = true;
	if (a->err < 0 || a->ended || w->due || w->cancelled) {
		port_wait_finish(w);
		return;
	}
	json_decref(a->ports);
	a->ports = NULL;
	if (w->again)
		port_wait_look(w);
}

static void port_wait_late(struct ports_ask *a)
{
	struct port_wait *w = container_of(a, struct port_wait, ask);

	w->late(w);
}

static void port_wait_look(struct port_wait *w)
{
	w->again = w->looking;
	if (w->looking)
		return;
	w->looking = true;
	ports_tell(&w->ask);
}

static void port_wait_due(struct loop_io *io, int res)
{
	struct port_wait *w = container_of(io, struct port_wait, timer);

	w->due = true;
	port_wait_look(w);
}

void port_wait_start(struct port_wait *w, uint64_t nsec)
{
	struct context *ctx = w->ask.ctx;

	w->ask.done = port_wait_looked;
	w->ask.late = port_wait_late;
	w->ask.err = hold_take_inode(&w->hold, ctx, w->ask.inode);
	loop_io_init(&w->timer, ctx->loop, port_wait_due);
	LIST_INSERT_HEAD(&ctx->services->waits, w, entry);
	if (w->ask.err < 0) {
		w->ask.why = "the daemon is leaving";
		port_wait_finish(w);
		return;
	}
	if (nsec)
		loop_io_timer(&w->timer, nsec);
	port_wait_look(w);
}

void port_wait_cancel(struct port_wait *w)
{
	w->cancelled = true;
	if (w->looking)
		return;
	w->ask.err = -EINTR;
	w->ask.why = "it is not waited for any more";
	port_wait_finish(w);
}
