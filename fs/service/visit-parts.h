/* What the files of visits share; nobody else sees it. */
#pragma once

#include "broadcast.h"
#include "hold.h"
#include "services.h"
#include "trees.h"

enum visit_state { VISIT_ASKED, VISIT_AWAITED, VISIT_RESTS };

struct visit {
	struct context *ctx;
	LIST_ENTRY(visit) entry;
	TAILQ_ENTRY(visit) waiting; /* as a spare */
	RB_ENTRY(visit) resting;
	enum visit_state state;
	struct node *node; /* pinned, as the name */
	struct node *name;
	struct hold hold; /* while it does not rest */
	fuse_req_t req;   /* to be answered; NULL: it is */
	struct job job;
	int err;
	struct visitor visitor;
	struct loop_task over; /* the worker has none any more */
	uint64_t since;        /* it is awaited */
	uint64_t until;        /* it rests */
	uint64_t rest;         /* the last one's length, in nanoseconds */
	bool spare;

	LIST_ENTRY(visit) stock; /* it was a spare: there is to be another */
	bool stocks;

	struct job dismissal;
	struct hold dismissed; /* while that is under way */
};

/* Who found no spare the last time: where that is again and again, one is not enough. They may be gone. */
struct visit_rush {
	uint64_t name; /* its node */
	const struct account *account;
	uint64_t at; /* on clock_nsec() */
};

struct visits {
	struct context *ctx;
	LIST_HEAD(, visit) all;
	RB_HEAD(visits_resting, visit) resting; /* by the end of their rest */
	TAILQ_HEAD(visit_spares, visit) spares; /* by age */
	unsigned spare_count;
	LIST_HEAD(, visit) stocks;
	struct loop_io stock;
	struct visit_rush rush;
	struct loop_io tick;
	uint64_t due; /* that */
};

static inline struct visits *visit_list(const struct visit *v)
{
	return v->ctx->services->visits;
}

/* The kernel refers to its node for the daemon's own look-ups alone. */
static inline bool visit_is_open_to_nobody(const struct visit *v)
{
	return v->node->lookups <= v->node->numbered;
}

/* visit.c: *out: one that rests, though nobody looks at it. Returns 0, -ENOMEM, or -EDQUOT of who asks. */
int visit_create(struct visit **out, const struct visitor *who, struct node *name, struct context *ctx);
void visit_free(struct visit *v);

/* Among those that rest until ->until, and not any more: ->until is not to change between the two. */
void visit_rests(struct visit *v);
void visit_rests_no_more(struct visit *v);

/* The worker has no tap for it (any more): it may be gone afterwards. */
void visit_rest(struct visit *v);

/* visit-await.c: the worker is asked for a tap. Returns 0, or a negative errno of hold_object(): nothing has begun. */
int visit_ask(struct visit *v);

/*
 * Answers a look-up with it. What the daemon has looked up by number since the look-up @req began is valid in the kernel, and
 * newer than the answer to that: so root's open would not be told of (reply.c), and that is made invalid before.
 */
void visit_answer_entry(fuse_req_t req, struct visit *v);

/* The same for one that is new and rests, as it does again where this fails. */
int visit_begin(struct visit *v);

/* The worker lets go of it; no-op where it has no tap. */
void visit_dismiss(struct visit *v);

/* On the worker: visitor->gone. */
void visit_gone(struct visitor *visitor);

/* visit-spare.c: it is a spare from now on; or none any more, no-op where it is none. */
void visit_spare(struct visit *v);
void visit_use(struct visit *v);

/* Nobody can open it any more: it is a spare, or dismissed. */
void visit_give_back(struct visit *v);

/*
 * A spare for who asks for @name, which is none any more. NULL: there is none, or his limits were lowered since they were made,
 * and he has more than he may: then all of his are dismissed, before what the worker is asked for next.
 */
struct visit *visit_take_spare(struct visits *visits, const struct node *name, const struct visitor *who);

/*
 * Has a spare made for the next look-up of the same user, unless there is one or it is on its way: soon after @v was one; or at
 * once for who found none, and then as many as he seems to need.
 */
void visit_stock(struct context *ctx, const struct visitor *who, struct node *name);
void visit_stock_soon(struct visit *v);
void visits_stock(struct loop_io *io, int res);
