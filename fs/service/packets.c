/*
 * A switch goes: the scan, then a job on the channel's worker, then the new state. When messages begin, the origin
 * moves to a FIFO that no look-up of a user has ever found, so nothing comes in around them; from the moment the job
 * is on its way, look-ups are answered as for a packet channel. When they end, that happens after the job.
 * Who had found the FIFO before and opens it afterwards finds one without a peer.
 */
#include "packets.h"

#include <errno.h>

#include "base.h"
#include "channel.h"
#include "engine.h"
#include "inode.h"
#include "tee.h"

struct node *packets_stand_in(struct server *s, struct inode *inode, enum node_kind kind)
{
	return node_create(&s->nodes, kind, inode, 0, 0, 0);
}

struct node *packets_shown(struct server *s, struct node *node)
{
	return packets_name(node) ? packets_stand_in(s, node->inode, NODE_HANDLE) : node;
}

static void finish(struct packets_change *c, int err)
{
	struct inode *inode = c->inode;

	inode->busy--;
	tee_channel_put(c->server, inode);
	inode_put(inode);
	c->done(c, err);
}

static void work_switch(struct job *job)
{
	struct packets_change *c = container_of(job, struct packets_change, job);
	struct channel *ch = c->inode->channel;
	uint64_t old = ch->origin.id;

	c->err = channel_set_packets(ch, c->on, c->fresh ? c->fresh->id : old);
	if (c->fresh)
		tee_forget_number(job->server, c->err < 0 ? c->fresh->id : old);
}

static void finish_switch(struct job *job)
{
	struct packets_change *c = container_of(job, struct packets_change, job);
	struct node_table *nodes = &c->server->nodes;
	struct inode *inode = c->inode;

	inode->switching = false;
	inode->packets = c->err < 0 ? !c->on : c->on;
	if (c->fresh) {
		struct node *old = inode->origin;

		if (c->err == 0 && old) {
			inode->origin = c->fresh;
			node_replace(old, c->fresh);
			node_release(nodes, old);
		}
		c->fresh->pins--;
		node_release(nodes, c->fresh);
	}
	finish(c, c->err);
}

/* Whether somebody is known to have it open. An opener that is not known is left with a FIFO without a peer. */
static bool in_use(const struct packets_change *c)
{
	struct descriptor_scan_count count;

	descriptor_scan_count(c->server->scan, c->inode->origin, &count);
	return c->inode->handles || count.readers || count.writers;
}

static void scanned(struct descriptor_scan_waiter *w)
{
	struct packets_change *c = container_of(w, struct packets_change, waiter);
	struct server *s = c->server;
	struct inode *inode = c->inode;

	if (s->left || !inode->origin) {
		finish(c, s->left ? -ENOTCONN : -ENOENT);
	} else if (inode->switching) {
		finish(c, -EBUSY);
	} else if (inode->packets == c->on) {
		finish(c, 0);
	} else if (in_use(c)) {
		finish(c, -EBUSY);
	} else {
		int err = tee_channel(s, inode->origin);

		if (err < 0) {
			finish(c, err);
			return;
		}
		c->fresh = c->on ? packets_stand_in(s, inode, NODE_FIFO) : NULL;
		if (c->on && !c->fresh) {
			finish(c, -ENOMEM);
			return;
		}
		if (c->fresh)
			c->fresh->pins++;
		inode->switching = true;
		inode->packets = true;
		job_post(s, inode->channel->worker->loop, &c->job, work_switch, finish_switch);
	}
}

void packets_set(struct server *s, struct node *node, struct packets_change *c)
{
	c->server = s;
	c->inode = node->inode;
	c->inode->refs++;
	c->inode->busy++;
	c->waiter.done = scanned;
	descriptor_scan_want(s->scan, &c->waiter);
}
