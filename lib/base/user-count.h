/*
 * How much of something each user has under way: exactly, so that nobody is refused for what another user does.
 *
 * Any thread; nothing blocks for longer than the list is looked through.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

struct user_count;

struct user_counts {
	pthread_mutex_t lock;
	struct user_count *users; /* those of whom somebody holds the count */
	unsigned under_way;       /* of all */
};

#define USER_COUNTS_NONE ((struct user_counts){ .lock = PTHREAD_MUTEX_INITIALIZER })

/* The count of @uid, to be put back. Taken beforehand, it can be raised where nothing may fail. NULL: out of memory. */
struct user_count *user_count_get(struct user_counts *counts, uid_t uid);

/* Whose it is. */
uid_t user_count_user(const struct user_count *count);

/* What was begun must have ended. NULL-safe. */
void user_count_put(struct user_counts *counts, struct user_count *count);

/* One more is under way. */
void user_count_begin(struct user_counts *counts, struct user_count *count);

/* The same, unless there are @max already: then it returns false, and nothing is counted. */
bool user_count_begin_below(struct user_counts *counts, struct user_count *count, unsigned max);

/* ... and has ended. */
void user_count_end(struct user_counts *counts, struct user_count *count);

/* How many are under way: of one user, and of all. */
unsigned user_count_of(struct user_counts *counts, uid_t uid);
unsigned user_count_all(struct user_counts *counts);
