/*
 * A bucket is a user and a kind, or a user and all kinds. It says until when its lines use up what is given back; more than
 * the burst ahead of now, and a line is one too many. So a bucket that is not ahead is as good as none, and its place can be
 * another's. The table is small and never grows: where it is full of those who log too much, the rest share one bucket.
 */
#include "log-limit.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define BUCKETS 512
#define PROBES 16 /* places where a bucket may be */

struct log_bucket {
	uid_t user;
	const char *kind; /* NULL: all */
	uint64_t ahead;   /* in nanoseconds of CLOCK_MONOTONIC */
	unsigned left_out;
	uint64_t since; /* when the first of these was */
	char *last;     /* the last of these; NULL where there was no memory */
};

static pthread_mutex_t log_limit_lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_bucket log_buckets[BUCKETS + 1]; /* the last one is shared */
static unsigned log_limit_waiting;                 /* buckets that have left lines out */

static struct log_bucket *log_limit_find(uid_t user, const char *kind, uint64_t now)
{
	size_t at = (user * UINT64_C(0x9e3779b97f4a7c15) ^ (uintptr_t)kind * UINT64_C(0xff51afd7ed558ccd)) >> 32;
	struct log_bucket *free = NULL;

	for (size_t i = 0; i < PROBES; i++) {
		struct log_bucket *b = &log_buckets[(at + i) % BUCKETS];

		if (b->ahead > now || b->left_out) {
			if (b->user == user && b->kind == kind)
				return b;
		} else if (!free) {
			free = b;
		}
	}
	if (!free)
		return &log_buckets[BUCKETS];
	*free = (struct log_bucket){ .user = user, .kind = kind };
	return free;
}

static bool log_limit_has(const struct log_bucket *b, uint64_t now, uint64_t lines, uint64_t seconds)
{
	return b->ahead <= now + (lines - 1) * seconds * NSEC_PER_SEC;
}

static void log_limit_use(struct log_bucket *b, uint64_t now, uint64_t seconds)
{
	b->ahead = (b->ahead > now ? b->ahead : now) + seconds * NSEC_PER_SEC;
}

static void log_limit_leave_out(struct log_bucket *b, const char *line, uint64_t now)
{
	if (!b->left_out) {
		b->since = now;
		log_limit_waiting++;
	}
	b->left_out++;
	free(b->last);
	b->last = strdup(line);
}

bool log_limit_pass(uid_t user, const char *kind, const char *line, bool *first)
{
	struct log_bucket *one, *all;
	uint64_t now;
	bool pass;

	pthread_mutex_lock(&log_limit_lock);
	now = clock_nsec(); /* none goes back */
	*first = !log_limit_waiting;
	one = log_limit_find(user, kind, now);
	pass = log_limit_has(one, now, LOG_KIND_LINES, LOG_KIND_SECONDS);
	if (pass) { /* the first bucket is in use before the second is sought, or it could be both */
		log_limit_use(one, now, LOG_KIND_SECONDS);
		all = log_limit_find(user, NULL, now);
		pass = log_limit_has(all, now, LOG_USER_LINES, LOG_USER_SECONDS);
		if (pass)
			log_limit_use(all, now, LOG_USER_SECONDS);
	}
	if (!pass)
		log_limit_leave_out(one, line, now);
	pthread_mutex_unlock(&log_limit_lock);
	return pass;
}

static char *log_limit_text(struct log_bucket *b)
{
	char *text;

	if (asprintf(&text, "%u more line%s like this: %s", b->left_out, b->left_out == 1 ? "" : "s",
		     b->last ? b->last : "(out of memory)") < 0)
		text = NULL;
	free(b->last);
	b->last = NULL;
	b->left_out = 0;
	log_limit_waiting--;
	return text;
}

bool log_limit_told(bool all, char **text)
{
	bool found = false;
	uint64_t now;

	pthread_mutex_lock(&log_limit_lock);
	now = clock_nsec();
	for (size_t i = 0; log_limit_waiting && i <= BUCKETS && !found; i++) {
		struct log_bucket *b = &log_buckets[i];

		found = b->left_out && (all || now - b->since >= LOG_LIMIT_WAIT * NSEC_PER_SEC);
		if (found)
			*text = log_limit_text(b);
	}
	pthread_mutex_unlock(&log_limit_lock);
	return found;
}
