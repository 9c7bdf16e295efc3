/* The one clock that spans of time are measured with: it runs on when somebody sets the date. */
#pragma once

#include <stdint.h>

#define NSEC_PER_SEC 1000000000ull

/* Nanoseconds since some moment before the start (CLOCK_MONOTONIC). Any thread; never blocks, never fails. */
uint64_t clock_nsec(void);

/*
 * Seconds since the epoch by the clock of the day. Exact, unlike time(2), which is late by up to a tick: an alarm for a second
 * (loop_io_alarm()) comes when it has begun here. Never blocks, never fails.
 */
int64_t clock_day(void);

/* When that moment was by the date of now: seconds since the epoch. */
double clock_date(uint64_t nsec);
