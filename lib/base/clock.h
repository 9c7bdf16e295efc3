/*
 * The clocks; nobody else asks the kernel for the time. Any thread; nothing here blocks or fails.
 *
 * Spans of time are measured with clock_nsec() alone, which runs on when somebody sets the date. The others tell people, and
 * files, when something was.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000ull

/* Nanoseconds since some moment before the start (CLOCK_MONOTONIC). */
uint64_t clock_nsec(void);

/*
 * Seconds since the epoch by the clock of the day. Exact, unlike time(2), which is late by up to a tick: an alarm for a second
 * (loop_io_alarm()) comes when it has begun here.
 */
int64_t clock_day(void);

/* The same in nanoseconds. */
uint64_t clock_now(void);

/* ... as of the kernel's last tick, 4 ms ago at most: read from memory, no system call. */
uint64_t clock_tick(void);

/* Nanoseconds since the epoch as stat(2) has them. */
static inline struct timespec clock_timespec(uint64_t nsec)
{
	return (struct timespec){ .tv_sec = (time_t)(nsec / NSEC_PER_SEC), .tv_nsec = (long)(nsec % NSEC_PER_SEC) };
}

/* When that moment was by the date of now: seconds since the epoch. */
double clock_date(uint64_t nsec);
