/*
 * What the driver, the writer and the readers agree on: the bytes of the stream, and the talk on the
 * report socket. A program says READY once it has opened its end; a writer then waits for one byte,
 * the starting shot. A reader ends with a struct report.
 */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM_READY 'r'
#define STREAM_GO 'g'

/* Every reader asks for this much, whatever feeds it. */
#define STREAM_READ (64 * 1024)

struct report {
	uint64_t bytes;
	uint64_t hash; /* 0 without --hash */
	int64_t first; /* CLOCK_MONOTONIC nanoseconds: the first bytes are there */
	int64_t nsec;  /* the end of file */
};

#define STREAM_HASH 0xcbf29ce484222325u

static inline uint64_t stream_hash(uint64_t hash, const unsigned char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ buf[i]) * 0x100000001b3u;
	return hash;
}

/* Noise, and a page fault for every page: the writer starts warm. */
static inline void stream_fill(unsigned char *buf, size_t len)
{
	uint32_t x = 2463534242u;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		buf[i] = (unsigned char)x;
	}
}

/* Each write begins with its number: a block lost, doubled or out of order changes the hash. */
static inline void stream_stamp(unsigned char *buf, size_t block, uint64_t number)
{
	memcpy(buf, &number, block < sizeof(number) ? block : sizeof(number));
}

static inline _Noreturn void stream_die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}
