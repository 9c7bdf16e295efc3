/*
 * A ring of bytes, with each line behind its head. It begins anew whenever it is empty: so as long as lines are taken in
 * time, only its first pages are ever used.
 */
#include "log-queue.h"

#include <pthread.h>
#include <string.h>

#include "clock.h"

static pthread_mutex_t log_queue_lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static pthread_cond_t log_queue_said = PTHREAD_COND_INITIALIZER;
static pthread_cond_t log_queue_emptied = PTHREAD_COND_INITIALIZER;
static char log_queue[LOG_QUEUE_BYTES];
static size_t log_queue_first, log_queue_used;
static unsigned log_queue_lost; /* since the last that found room */
static time_t log_queue_lost_at;
static bool log_queue_closed;
static bool log_queue_through; /* closed, and all that was taken is written */
static bool log_queue_over;    /* nobody waits for that any more */

static void log_queue_copy_in(const void *data, size_t len)
{
	size_t at = (log_queue_first + log_queue_used) % sizeof(log_queue);
	size_t part = len < sizeof(log_queue) - at ? len : sizeof(log_queue) - at;

	memcpy(log_queue + at, data, part);
	memcpy(log_queue, (const char *)data + part, len - part);
	log_queue_used += len;
}

static void log_queue_copy_out(void *data, size_t len)
{
	size_t at = log_queue_first;
	size_t part = len < sizeof(log_queue) - at ? len : sizeof(log_queue) - at;

	memcpy(data, log_queue + at, part);
	memcpy((char *)data + part, log_queue, len - part);
	log_queue_used -= len;
	log_queue_first = log_queue_used ? (at + len) % sizeof(log_queue) : 0;
}

void log_queue_put(bool own, int priority, bool copied, const char *line)
{
	struct log_head head = { .priority = priority, .copied = copied };
	size_t room = own ? LOG_QUEUE_BYTES : LOG_QUEUE_BYTES - LOG_QUEUE_OWN;

	head.len = (unsigned short)strnlen(line, LOG_LINE_MAX);
	pthread_mutex_lock(&log_queue_lock);
	head.when = (time_t)clock_day(); /* none is before the one in front of it */
	if (log_queue_used + sizeof(head) + head.len > room) {
		log_queue_lost++;
		log_queue_lost_at = head.when;
	} else if (!log_queue_over && head.len) {
		head.lost = log_queue_lost;
		log_queue_lost = 0;
		log_queue_copy_in(&head, sizeof(head));
		log_queue_copy_in(line, head.len);
		pthread_cond_signal(&log_queue_said);
	}
	pthread_mutex_unlock(&log_queue_lock);
}

static void log_queue_take_first(struct log_entry *entry)
{
	entry->head = (struct log_head){ .when = log_queue_lost_at, .lost = log_queue_lost };
	if (log_queue_used)
		log_queue_copy_out(&entry->head, sizeof(entry->head));
	else
		log_queue_lost = 0;
	log_queue_copy_out(entry->line, entry->head.len);
	entry->line[entry->head.len] = '\0';
}

bool log_queue_take(struct log_entry *entry)
{
	bool got;

	pthread_mutex_lock(&log_queue_lock);
	while (!log_queue_used && !log_queue_lost && !log_queue_closed)
		pthread_cond_wait(&log_queue_said, &log_queue_lock);
	got = (log_queue_used || log_queue_lost) && !log_queue_over;
	if (got)
		log_queue_take_first(entry);
	log_queue_through = !got;
	if (!got)
		pthread_cond_broadcast(&log_queue_emptied);
	pthread_mutex_unlock(&log_queue_lock);
	return got;
}

void log_queue_close(void)
{
	pthread_mutex_lock(&log_queue_lock);
	log_queue_closed = true;
	pthread_cond_signal(&log_queue_said);
	pthread_mutex_unlock(&log_queue_lock);
}

void log_queue_drain(uint64_t nsec)
{
	uint64_t end = clock_nsec() + nsec;
	const struct timespec until = { (time_t)(end / NSEC_PER_SEC), (long)(end % NSEC_PER_SEC) };

	pthread_mutex_lock(&log_queue_lock);
	while (!log_queue_through && !log_queue_over)
		if (pthread_cond_clockwait(&log_queue_emptied, &log_queue_lock, CLOCK_MONOTONIC, &until) != 0)
			break;
	log_queue_over = true;
	pthread_mutex_unlock(&log_queue_lock);
}
