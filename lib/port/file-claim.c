/* Few files are open at a time, and a claim is taken by an opening's own thread: a list will do. */
#include "file-claim.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

struct file_claim {
	LIST_ENTRY(file_claim) entry;
	dev_t dev;
	ino_t ino;
	bool append;
};

static LIST_HEAD(, file_claim) claims = LIST_HEAD_INITIALIZER(claims);
static pthread_mutex_t claims_lock = PTHREAD_MUTEX_INITIALIZER;

/* With the lock. */
static bool file_claim_collides(const struct file_claim *claim)
{
	const struct file_claim *other;

	LIST_FOREACH(other, &claims, entry)
		if (other->ino == claim->ino && other->dev == claim->dev && !(other->append && claim->append))
			return true;
	return false;
}

int file_claim_take(struct file_claim **out, dev_t dev, ino_t ino, bool append)
{
	struct file_claim *claim = malloc(sizeof(*claim));
	bool collides;

	if (!claim)
		return -ENOMEM;
	*claim = (struct file_claim){ .dev = dev, .ino = ino, .append = append };
	pthread_mutex_lock(&claims_lock);
	collides = file_claim_collides(claim);
	if (!collides)
		LIST_INSERT_HEAD(&claims, claim, entry);
	pthread_mutex_unlock(&claims_lock);
	if (collides) {
		free(claim);
		return -EBUSY;
	}
	*out = claim;
	return 0;
}

void file_claim_drop(struct file_claim *claim)
{
	if (!claim)
		return;
	pthread_mutex_lock(&claims_lock);
	LIST_REMOVE(claim, entry);
	pthread_mutex_unlock(&claims_lock);
	free(claim);
}
