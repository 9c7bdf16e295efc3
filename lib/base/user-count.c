/*
 * A count is there for as long as anybody holds it, under way or not: so its memory is asked for when that may still be
 * refused, and a user of whom nothing is left costs nothing.
 */
#include "user-count.h"

#include <limits.h>
#include <stdlib.h>
#include <uthash.h>

struct user_count {
	uid_t uid;
	unsigned holders;
	unsigned under_way;
	UT_hash_handle hh;
};

/* Under the lock. */
static struct user_count *user_count_find(const struct user_counts *counts, uid_t uid)
{
	struct user_count *count;

	HASH_FIND(hh, counts->users, &uid, sizeof(uid), count);
	return count;
}

struct user_count *user_count_get(struct user_counts *counts, uid_t uid)
{
	struct user_count *count;

	pthread_mutex_lock(&counts->lock);
	count = user_count_find(counts, uid);
	if (!count) {
		count = calloc(1, sizeof(*count));
		if (count) {
			count->uid = uid;
			HASH_ADD(hh, counts->users, uid, sizeof(uid), count);
		}
		if (count && !count->hh.tbl) {
			free(count);
			count = NULL;
		}
	}
	if (count)
		count->holders++;
	pthread_mutex_unlock(&counts->lock);
	return count;
}

uid_t user_count_user(const struct user_count *count)
{
	return count->uid;
}

void user_count_put(struct user_counts *counts, struct user_count *count)
{
	if (!count)
		return;
	pthread_mutex_lock(&counts->lock);
	if (--count->holders == 0) {
		HASH_DELETE(hh, counts->users, count);
		free(count);
	}
	pthread_mutex_unlock(&counts->lock);
}

bool user_count_begin_below(struct user_counts *counts, struct user_count *count, unsigned max)
{
	bool below;

	pthread_mutex_lock(&counts->lock);
	below = count->under_way < max;
	count->under_way += below;
	counts->under_way += below;
	pthread_mutex_unlock(&counts->lock);
	return below;
}

void user_count_begin(struct user_counts *counts, struct user_count *count)
{
	user_count_begin_below(counts, count, UINT_MAX);
}

void user_count_end(struct user_counts *counts, struct user_count *count)
{
	pthread_mutex_lock(&counts->lock);
	count->under_way--;
	counts->under_way--;
	pthread_mutex_unlock(&counts->lock);
}

unsigned user_count_of(struct user_counts *counts, uid_t uid)
{
	const struct user_count *count;
	unsigned n;

	pthread_mutex_lock(&counts->lock);
	count = user_count_find(counts, uid);
	n = count ? count->under_way : 0;
	pthread_mutex_unlock(&counts->lock);
	return n;
}

unsigned user_count_all(struct user_counts *counts)
{
	unsigned n;

	pthread_mutex_lock(&counts->lock);
	n = counts->under_way;
	pthread_mutex_unlock(&counts->lock);
	return n;
}
