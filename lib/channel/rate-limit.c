/*
 * What is kept is the moment when more may move, not a store of unused bytes: so a stream that has paused does not
 * begin with a burst, but for the little that late timers may have cost it.
 */
#include "rate-limit.h"

#include "clock.h"

#define STEPS 50 /* a second */
#define PAGE 4096

/* What late timers have cost is made up for, but not more than this. */
#define LATE_NSEC (NSEC_PER_SEC / 20)

uint64_t rate_limit_wait(const struct rate_limit *p)
{
	uint64_t at = p->rate ? clock_nsec() : 0;

	return p->rate && p->next > at ? p->next - at : 0;
}

size_t rate_limit_step(const struct rate_limit *p)
{
	size_t step = p->rate / STEPS;

	return step < PAGE ? PAGE : step;
}

void rate_limit_moved(struct rate_limit *p, size_t bytes)
{
	uint64_t at;

	if (!p->rate)
		return;
	at = clock_nsec() - LATE_NSEC;
	if (p->next < at)
		p->next = at;
	p->next += (uint64_t)((double)bytes * NSEC_PER_SEC / (double)p->rate);
}
