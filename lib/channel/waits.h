/*
 * What a channel and each of its taps wait for, in plain words: for who asks why a stream does not go on. It is so at this
 * moment, and may be over in the next.
 *
 * Something always wakes what waits: a poll, a timer, or the watch for who opens it. Where nothing would, which is a fault
 * of the daemon, the words say so (WAITS_FAULT).
 */
#pragma once

#include <stdint.h>

#include "flow.h"

struct broadcast;
struct channel;
struct tap;

struct waits {
	enum flow flow;
	char text[128];
	uint64_t tap;   /* that holds the writer back, by its number (tap.h); 0: none */
	uint64_t since; /* bytes wait for that, on clock_nsec(); 0: none do, or it is not known */
};

#define WAITS_FAULT "nothing wakes it: a fault of spfs"

/* On the channel's worker; they look, and change nothing. */
void waits_of_channel(struct waits *w, const struct channel *ch);
void waits_of_tap(struct waits *w, const struct tap *tap);
void waits_of_broadcast(struct waits *w, const struct broadcast *b); /* that nobody reads */
