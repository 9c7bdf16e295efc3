/*
 * The lines that wait for the log's thread. Who says one leaves it here, which never waits, never fails and takes no memory;
 * what finds no room is counted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "log.h"

/* What the queue holds, in bytes; each line takes those of its log_head too, so this bounds how many there are. */
#define LOG_QUEUE_BYTES (1 << 20)

/* Of these, for what the daemon says on its own account: others' lines find no room there. */
#define LOG_QUEUE_OWN (LOG_QUEUE_BYTES / 4)

struct log_head {
	time_t when; /* it was said */
	int priority;
	bool copied;        /* log_output_copy() is done */
	unsigned short len; /* 0: there is no line, but lines were lost */
	unsigned lost;      /* so many before it found no room */
};

struct log_entry {
	struct log_head head;
	char line[LOG_LINE_MAX + 1];
};

/* @line, of at most LOG_LINE_MAX bytes, is said now; @own: not for a user. Any thread; never blocks, never fails. */
void log_queue_put(bool own, int priority, bool copied, const char *line);

/*
 * Waits for the next line, and takes it. What was taken before is written then. Returns false where no more are to be written.
 * One thread.
 */
bool log_queue_take(struct log_entry *entry);

/* No more are waited for: who takes them ends with those that are there. */
void log_queue_close(void);

/* After log_queue_close(): waits until that is so, for up to @nsec nanoseconds; what is left after that nobody takes. */
void log_queue_drain(uint64_t nsec);
