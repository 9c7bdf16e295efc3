/* Visits that nobody can open any more, or yet, for who looks the same name up next. */
#include "visit-parts.h"

#include "base.h"
#include "clock.h"

/* A spare is as good as new for so long: then the worker awaits it for half as long as another. */
#define VISIT_SPARE_NSEC (BROADCAST_NSEC / 2)
#define VISIT_SPARES 64

/* Who has got a spare is about to come again: the next is made behind his back. */
#define VISIT_STOCK_NSEC (NSEC_PER_SEC / 2000)

/* Who finds none a second time within this opens one after the other: so many are made at once. */
#define VISIT_RUSH_NSEC (NSEC_PER_SEC / 100)
#define VISIT_RUSH_SPARES 8

void visit_use(struct visit *v)
{
	if (!v->spare)
		return;
	TAILQ_REMOVE(&visit_list(v)->spares, v, waiting);
	visit_list(v)->spare_count--;
	v->spare = false;
}

void visit_spare(struct visit *v)
{
	struct visits *visits = visit_list(v);

	v->spare = true;
	TAILQ_INSERT_TAIL(&visits->spares, v, waiting);
	if (++visits->spare_count <= VISIT_SPARES)
		return;
	v = TAILQ_FIRST(&visits->spares);
	visit_use(v);
	visit_dismiss(v);
}

/* Nobody can open it any more. One that is awaited again is not for long. */
void visit_give_back(struct visit *v)
{
	if (v->rest || v->ctx->leaving)
		visit_dismiss(v);
	else if (!v->spare && !v->dismissed.inode)
		visit_spare(v);
}

static bool visit_suits(const struct visit *v, const struct node *name, const struct visitor *who, uint64_t now)
{
	return v->name == name && v->visitor.account == who->account && v->visitor.writes == who->writes &&
	       now < v->since + VISIT_SPARE_NSEC;
}

static void visits_dismiss_spares(struct visits *visits, const struct account *account)
{
	struct visit *v, *next;

	for (v = TAILQ_FIRST(&visits->spares); v; v = next) {
		next = TAILQ_NEXT(v, waiting);
		if (v->visitor.account != account || v->state != VISIT_AWAITED)
			continue;
		visit_use(v);
		visit_dismiss(v);
	}
}

struct visit *visit_take_spare(struct visits *visits, const struct node *name, const struct visitor *who)
{
	uint64_t now = clock_nsec();
	struct visit *v;

	if (account_is_over(who->account)) {
		visits_dismiss_spares(visits, who->account);
		return NULL;
	}
	TAILQ_FOREACH_REVERSE(v, &visits->spares, visit_spares, waiting)
	if (v->state == VISIT_AWAITED && visit_suits(v, name, who, now))
		break;
	if (v)
		visit_use(v);
	return v;
}

/* ---- made ahead ---- */

/* Until there are @count, with those that are on their way. */
static void visit_make_spares(struct context *ctx, const struct visitor *who, struct node *name, unsigned count)
{
	const struct visits *visits = ctx->services->visits;
	uint64_t now = clock_nsec();
	struct visit *v;
	unsigned n = 0;

	TAILQ_FOREACH(v, &visits->spares, waiting)
		n += visit_suits(v, name, who, now);
	for (; n < count && visit_create(&v, who, name, ctx) == 0; n++) {
		v->visitor.ahead = true;
		if (visit_begin(v) < 0) {
			visit_free(v);
			return;
		}
		visit_spare(v);
	}
}

void visit_stock(struct context *ctx, const struct visitor *who, struct node *name)
{
	struct visit_rush *rush = &ctx->services->visits->rush;
	uint64_t now = clock_nsec();
	bool again = rush->name == name->id && rush->account == who->account && now < rush->at + VISIT_RUSH_NSEC;

	*rush = (struct visit_rush){ .name = name->id, .account = who->account, .at = now };
	visit_make_spares(ctx, who, name, again ? VISIT_RUSH_SPARES : 1);
}

void visits_stock(struct loop_io *io, int res)
{
	struct visits *visits = container_of(io, struct visits, stock);
	struct visit *v;

	while ((v = LIST_FIRST(&visits->stocks))) {
		LIST_REMOVE(v, stock);
		v->stocks = false;
		if (v->name->parent)
			visit_make_spares(visits->ctx, &v->visitor, v->name, 1);
	}
}

void visit_stock_soon(struct visit *v)
{
	struct visits *visits = visit_list(v);

	if (v->stocks)
		return;
	v->stocks = true;
	LIST_INSERT_HEAD(&visits->stocks, v, stock);
	loop_io_timer(&visits->stock, VISIT_STOCK_NSEC);
}
