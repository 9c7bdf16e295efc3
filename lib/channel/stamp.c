#include "stamp.h"

#include <stdlib.h>

#include "clock.h"

struct stamp *stamp_create(void)
{
	struct stamp *s = calloc(1, sizeof(*s));

	return s ? stamp_get(s) : NULL;
}

struct stamp *stamp_get(struct stamp *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void stamp_put(struct stamp *s)
{
	if (s && atomic_fetch_sub(&s->refs, 1) == 1)
		free(s);
}

uint64_t stamp_clock(const struct stamp *of)
{
	uint64_t floor = atomic_load_explicit(&of->floor, memory_order_relaxed), now = clock_tick();

	return now > floor ? now : floor + 1;
}
