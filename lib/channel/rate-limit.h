/* A rate limit: so many bytes a second and no more, in small steps. Zero-valid: as fast as it goes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rate_limit {
	uint64_t rate; /* bytes a second; 0: any */
	uint64_t next; /* when the next bytes may move, by clock_nsec() */
};

/* Nanoseconds to wait; 0: bytes may move now. */
uint64_t rate_limit_wait(const struct rate_limit *p);

/* The bytes to move at once: a step of 20 ms, but no less than a page. */
size_t rate_limit_step(const struct rate_limit *p);

/* @bytes have moved. */
void rate_limit_moved(struct rate_limit *p, size_t bytes);
