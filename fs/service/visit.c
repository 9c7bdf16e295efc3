/*
 * A visit is there as long as the kernel refers to its node. Its state is the FUSE thread's picture of what the worker has:
 *
 *   ASKED    the worker is to make a tap
 *   AWAITED  it has one, with a reader or without
 *   RESTS    it has none: it has let go, its reader has left, or it cannot make one
 *
 * From RESTS the node is forgotten by the kernel, or the worker is asked again, after longer and longer times: the kernel
 * keeps what it has found last of each name, though it never uses that again without a look-up.
 *
 * So each open(2) looks up twice: the first finds that the name is not what it was, and is given back (FORGET) at once.
 * Then nobody can open that FIFO any more: the kernel refers to it for the daemon's own look-ups alone. It is a *spare*, for
 * the same user's next look-up, while it is young. Where there is none, one is made beside each look-up, or soon after: so
 * only the first of several waits for the worker.
 */
#include "visit.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "clock.h"
#include "visit-parts.h"

/* The kernel forgets what is closed in less; then it is four times as long each time, up to the last. */
#define VISIT_REST_NSEC (NSEC_PER_SEC / 10)
#define VISIT_REST_MAX_NSEC (8 * NSEC_PER_SEC)

/* So many are asked for in a turn: one costs its user a name, and nothing else. */
#define VISITS_TURN 64

/* ---- those that rest ---- */

static int visits_by_end(const struct visit *a, const struct visit *b)
{
	if (a->until != b->until)
		return a->until < b->until ? -1 : 1;
	return (a->node->id > b->node->id) - (a->node->id < b->node->id);
}

RB_GENERATE_INTERNAL(visits_resting, visit, resting, visits_by_end, TREE_STATIC)

void visit_rests(struct visit *v)
{
	RB_INSERT(visits_resting, &visit_list(v)->resting, v);
}

void visit_rests_no_more(struct visit *v)
{
	RB_REMOVE(visits_resting, &visit_list(v)->resting, v);
}

/* ---- begin and end ---- */

int visit_create(struct visit **out, const struct visitor *who, struct node *name, struct context *ctx)
{
	struct visit *v = calloc(1, sizeof(*v));
	struct node *node = v ? node_create(&ctx->nodes, NODE_FIFO, name->inode, 0, 0, 0) : NULL;
	int err = node ? node_charge(node, who->account) : -ENOMEM;

	if (err < 0) {
		if (node)
			node_release(&ctx->nodes, node);
		free(v);
		return err;
	}
	*v = (struct visit){ .ctx = ctx, .state = VISIT_RESTS, .node = node, .name = name };
	/* What else is in @who may be the worker's. */
	v->visitor = (struct visitor){
		.id = node->id, .account = who->account, .writes = who->writes, .gone = who->gone
	};
	node->visit = v;
	node->visited = name;
	node->pins++;
	name->pins++;
	LIST_INSERT_HEAD(&ctx->services->visits->all, v, entry);
	visit_rests(v);
	*out = v;
	return 0;
}

void visit_free(struct visit *v)
{
	struct node_table *nodes = &v->ctx->nodes;
	struct node *node = v->node, *name = v->name;

	LIST_REMOVE(v, entry);
	if (v->stocks)
		LIST_REMOVE(v, stock);
	if (v->state == VISIT_RESTS)
		visit_rests_no_more(v);
	free(v);
	node->visit = NULL;
	node->visited = NULL;
	node->pins--;
	node_release(nodes, node);
	name->pins--;
	node_release(nodes, name);
}

static void visits_look_at(struct visits *visits, uint64_t at)
{
	uint64_t now = clock_nsec();

	if (loop_io_armed(&visits->tick) && visits->due <= at)
		return;
	loop_io_cancel(&visits->tick);
	visits->due = at;
	loop_io_timer(&visits->tick, at > now ? at - now : 0);
}

void visit_rest(struct visit *v)
{
	struct visits *visits = visit_list(v);

	visit_use(v);
	hold_drop(&v->hold);
	v->state = VISIT_RESTS;
	v->rest = !v->rest ? VISIT_REST_NSEC : 4 * v->rest < VISIT_REST_MAX_NSEC ? 4 * v->rest : VISIT_REST_MAX_NSEC;
	v->until = clock_nsec() + v->rest;
	visit_rests(v);
	if (!v->node->lookups && !v->dismissed.inode)
		visit_free(v);
	else
		visits_look_at(visits, v->until);
}

void visit_forgotten(struct node *node)
{
	struct visit *v = node->visit;

	if (!node->lookups)
		node->numbered = 0;
	if (v->state == VISIT_AWAITED && !node->lookups)
		visit_dismiss(v);
	else if (v->state == VISIT_AWAITED && visit_is_open_to_nobody(v))
		visit_give_back(v);
	else if (v->state == VISIT_RESTS && !node->lookups && !v->dismissed.inode)
		visit_free(v);
}

/* What cannot be asked for rests on. */
static void visit_again(struct visit *v)
{
	visit_rests_no_more(v);
	if (v->dismissed.inode || visit_is_open_to_nobody(v) || !v->name->parent || visit_ask(v) < 0)
		visit_rest(v);
}

static void visits_tick(struct loop_io *io, int res)
{
	struct visits *visits = container_of(io, struct visits, tick);
	uint64_t now = clock_nsec();
	struct visit *v = NULL;

	if (visits->ctx->leaving)
		return;
	for (unsigned n = 0; n < VISITS_TURN && (v = RB_MIN(visits_resting, &visits->resting)) && v->until <= now; n++)
		visit_again(v);
	v = RB_MIN(visits_resting, &visits->resting);
	if (v)
		visits_look_at(visits, v->until);
}

/* ---- all of them ---- */

int visits_create(struct visits **out, struct context *ctx)
{
	struct visits *visits = *out = calloc(1, sizeof(*visits));

	if (!visits)
		return -ENOMEM;
	visits->ctx = ctx;
	LIST_INIT(&visits->all);
	RB_INIT(&visits->resting);
	TAILQ_INIT(&visits->spares);
	LIST_INIT(&visits->stocks);
	loop_io_init(&visits->tick, ctx->loop, visits_tick);
	loop_io_init(&visits->stock, ctx->loop, visits_stock);
	return 0;
}

void visits_leave(struct visits *visits)
{
	struct visit *v;

	LIST_FOREACH(v, &visits->all, entry)
		visit_dismiss(v);
}

void visits_destroy(struct visits *visits)
{
	struct visit *v;

	if (!visits)
		return;
	loop_io_cancel(&visits->tick);
	loop_io_cancel(&visits->stock);
	while ((v = LIST_FIRST(&visits->all))) {
		LIST_REMOVE(v, entry);
		v->node->visit = NULL;
		free(v);
	}
	free(visits);
}
