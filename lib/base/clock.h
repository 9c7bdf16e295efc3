/* The one clock that spans of time are measured with: it runs on when somebody sets the date. */
#pragma once

#include <stdint.h>

#define NSEC_PER_SEC 1000000000ull

/* Nanoseconds since some moment before the start (CLOCK_MONOTONIC). Any thread; never blocks, never fails. */
uint64_t clock_nsec(void);

/* When that moment was by the date of now: seconds since the epoch. */
double clock_date(uint64_t nsec);
