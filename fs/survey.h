/*
 * The survey: who has which name of the mount open, as far as /proc/PID/fd tells.
 *
 * A FIFO does not say how many have it open, and the kernel serves its opens without the daemon. So
 * on request, the helper thread reads the descriptors of every process that it may look into. What is
 * opened through another mount namespace, or belongs to a process hidden from the daemon, is not seen.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "node.h"

struct server;
struct survey;

struct survey_waiter {
	TAILQ_ENTRY(survey_waiter) entry;
	/* On the FUSE thread, once survey_count() is fresh. */
	void (*done)(struct survey_waiter *w);
	bool anew;  /* after a survey that has not begun yet */
	bool early; /* private: the one that runs is not it */
};

/* Returns 0 or -ENOMEM. */
int survey_create(struct survey **survey, struct server *s);

/* No survey may be under way. NULL-safe. */
void survey_destroy(struct survey *survey);

/* Calls @w->done after a survey no older than SURVEY_FRESH_NSEC; perhaps at once. */
void survey_want(struct survey *survey, struct survey_waiter *w);

#define SURVEY_FRESH_NSEC 250000000u

/*
 * For struct engine_events, on any thread: a teed origin was opened. A survey follows, one in SURVEY_PAUSE_NSEC at most, that logs
 * every process that reads beside the taps.
 */
void survey_origin_opened(void *server);

#define SURVEY_PAUSE_NSEC 5000000000u

struct survey_count {
	unsigned readers;
	unsigned writers;
};

/*
 * Open descriptors of @node as of the last survey, the daemon's own not counted. Returns false where
 * the daemon may not look into its own user's processes.
 */
bool survey_count(const struct survey *survey, const struct node *node, struct survey_count *count);

/* A descriptor of somebody's. */
struct survey_holder {
	pid_t pid;
	int fd;
};

/* Up to @max descriptors of @node as of the last survey. Returns how many. */
size_t survey_holders(const struct survey *survey, const struct node *node, struct survey_holder *list, size_t max);
