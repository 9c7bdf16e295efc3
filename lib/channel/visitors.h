/*
 * Visitors of a broadcast: those who have looked its name up, and are awaited. Each is let go at a time of his own, and
 * is one of a *party*, that of his account: what one user looks up is counted, and let go, apart from everybody else's.
 *
 * Nothing here grows with how many there are, but by a tree's depth. All on the channel's worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trees.h"

struct account;
struct tap;
struct visitors_party;

/* Who may open what he is answered with: the one reader of a tap. Embedded in what its maker knows of it. */
struct visitor {
	uint64_t id;             /* of his node */
	struct account *account; /* his */
	bool writes;             /* he may write the channel, and so hold its writer back */
	bool again;              /* he was awaited before, and let go */
	bool ahead;              /* nobody has looked him up yet: he is given no room that another has */
	/* On the worker, exactly once: his tap has gone. */
	void (*gone)(struct visitor *v);

	/* The worker's: */
	struct tap *tap;              /* NULL: he has none */
	uint64_t until;               /* he is awaited, by clock_nsec() */
	struct visitors_party *party; /* NULL: he is not awaited, or not any more */
	RB_ENTRY(visitor) by_end, by_end_of_party;
};

/* Zero-valid: none. */
struct visitors {
	RB_HEAD(visitors_all, visitor) all; /* by ->until */
	struct visitors_party *parties;
};

/* Awaits @v, who is not, until v->until. Returns 0 or -ENOMEM. */
int visitors_add(struct visitors *list, struct visitor *v);

/* Not any more. */
void visitors_remove(struct visitors *list, struct visitor *v);

/* The first to be let go, of all, or of one account's. NULL: there is none. */
struct visitor *visitors_first(struct visitors *list);
struct visitor *visitors_first_of(const struct visitors *list, const struct account *account);

/* How many of that account are awaited. */
size_t visitors_count(const struct visitors *list, const struct account *account);

/* The next to be let go. NULL: there is none. */
struct visitor *visitors_next(struct visitor *v);
