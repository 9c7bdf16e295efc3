#include "clock.h"

static uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_nsec(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

int64_t clock_day(void)
{
	return (int64_t)(clock_now() / NSEC_PER_SEC);
}

uint64_t clock_now(void)
{
	return clock_read(CLOCK_REALTIME);
}

uint64_t clock_tick(void)
{
	return clock_read(CLOCK_REALTIME_COARSE);
}

double clock_date(uint64_t nsec)
{
	uint64_t ago = clock_nsec() - nsec;

	return (double)(clock_now() - ago) / NSEC_PER_SEC;
}
