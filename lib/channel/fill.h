/*
 * How full a channel or a tap is, in percent of what makes its writer wait or its policy drop, whichever comes first: bytes,
 * or pages. A reference takes a page however few bytes it is to, so pages may be used up long before; a message is one
 * always.
 *
 * The kernel tells bytes, and whether a pipe takes more, but not how many pages are used: in between, those of messages are
 * counted by their average size, and other bytes as if they filled theirs. What is full is 100 %.
 */
#pragma once

struct channel;
struct tap;

/* On the channel's worker. Returns 0 to 100; -1: the daemon has it not open, and does not know. */
int fill_of_channel(const struct channel *ch);
int fill_of_tap(const struct tap *tap);
