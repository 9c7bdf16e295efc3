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
#include "clock.h"
#include "inode.h"
#include "number.h"
#include "services.h"
#include "vacancy.h"

struct node *packets_stand_in(struct context *ctx, struct inode *inode, enum node_kind kind)
{
	return node_create(&ctx->nodes, kind, inode, 0, 0, 0);
}

static void packets_finish(struct packets_change *c, int err)
{
	struct hold hold = c->hold;

	c->done(c, err);
	hold_drop(&hold);
}

static void packets_work(struct job *job)
{
	struct packets_change *c = container_of(job, struct packets_change, job);
	struct channel *ch = hold_channel(&c->hold);
	uint64_t old = ch->origin.id;

	c->err = channel_set_packets(ch, c->on, c->fresh ? c->fresh->id : old);
	if (c->fresh)
		number_forget(job->ctx, c->err < 0 ? c->fresh->id : old);
}

static void packets_late(struct job *job)
{
	struct packets_change *c = container_of(job, struct packets_change, job);

	c->late(c);
}

static void packets_switched(struct job *job)
{
	struct packets_change *c = container_of(job, struct packets_change, job);
	struct node_table *nodes = &job->ctx->nodes;
	struct inode *inode = c->hold.inode;

	if (job_given_up(job))
		c->err = -ETIMEDOUT;
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
	packets_finish(c, c->err);
}

/* Whether somebody is known to have it open. An opener that is not known is left with a FIFO without a peer. */
static bool packets_in_use(const struct packets_change *c)
{
	const struct inode *inode = c->hold.inode;
	struct descriptor_scan_count count;

	descriptor_scan_count(c->hold.ctx->services->scan, inode->origin, &count);
	return inode->handles || count.readers || count.writers;
}

static int packets_begin(struct packets_change *c)
{
	struct context *ctx = c->hold.ctx;
	struct inode *inode = c->hold.inode;
	int err = hold_object(&c->hold);

	if (err < 0)
		return err;
	c->fresh = c->on ? packets_stand_in(ctx, inode, NODE_FIFO) : NULL;
	if (c->on && !c->fresh)
		return -ENOMEM;
	if (c->fresh)
		c->fresh->pins++;
	inode->switching = true;
	inode->packets = true;
	hold_post(&c->hold, &c->job, packets_work, packets_switched);
	job_patient(&c->job, c->until, packets_late);
	return 0;
}

static void packets_scanned(struct descriptor_scan_waiter *w)
{
	struct packets_change *c = container_of(w, struct packets_change, waiter);
	const struct inode *inode = c->hold.inode;
	int err;

	if (c->hold.ctx->leaving)
		err = -ENOTCONN;
	else if (clock_nsec() >= c->until)
		err = -ETIMEDOUT;
	else if (!inode->origin || vacancy_is(inode->origin))
		err = -ENOENT;
	else if (inode->switching)
		err = -EBUSY;
	else if (inode->packets == c->on)
		err = 0;
	else if (packets_in_use(c))
		err = -EBUSY;
	else if ((err = packets_begin(c)) == 0)
		return;
	packets_finish(c, err);
}

void packets_set(const struct hold *hold, struct packets_change *c)
{
	hold_copy(&c->hold, hold);
	c->waiter.done = packets_scanned;
	descriptor_scan_want(hold->ctx->services->scan, &c->waiter);
}
