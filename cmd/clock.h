/* The clock that rates are taken by. */
#pragma once

#include <time.h>

/* CLOCK_MONOTONIC, in seconds. */
static inline double clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
