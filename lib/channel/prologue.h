/*
 * A prologue: bytes of a channel that whoever begins to read one of its taps gets first, such as a file format's header.
 * They were given by value, or are the first so many of the stream, which are kept as they pass.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chunk;
struct queue;

/* Values of SETTING_PROLOGUE: 0, none; up to PROLOGUE_MAX, so many of each stream's first bytes; with the flag, given. */
#define PROLOGUE_MAX 65536
#define PROLOGUE_GIVEN (UINT64_C(1) << 32)

/* Zero: there is none. */
struct prologue {
	char *bytes;
	size_t len;
	size_t first;     /* so many of each stream are to be kept; 0: they were given */
	unsigned edition; /* another one, whenever they become another stream's, or are to be others */
};

/* NULL-safe. */
void prologue_finish(struct prologue *p);

/* The setting's value in bytes. */
static inline size_t prologue_size(uint64_t value)
{
	return (size_t)(value & ~PROLOGUE_GIVEN);
}

/* From now on the first @bytes of each stream; 0: none. Returns 0, or -ENOMEM with the prologue as it was. */
int prologue_keep(struct prologue *p, size_t bytes);

/* From now on these, copied. Returns 0, or -ENOMEM with the prologue as it was. */
int prologue_give(struct prologue *p, const char *bytes, size_t len);

/* A stream begins, of which nothing has come yet. */
void prologue_begin(struct prologue *p);

/* Whether what comes at byte @position of the stream is to be kept. */
static inline bool prologue_wants(const struct prologue *p, uint64_t position)
{
	return position < p->first && position == p->len;
}

/* Keeps what is wanted of a chunk. Returns 0, or a negative errno and this stream has no prologue. */
int prologue_take(struct prologue *p, const struct chunk *chunk);

/* The bytes that are to come before byte @from of the stream, for who begins there. */
size_t prologue_before(const struct prologue *p, uint64_t from);

/*
 * Puts the first @len bytes before all that is in @q, of which nothing has gone to a reader; they are never dropped. @sink is
 * /dev/null. Returns 0, or a negative errno (EMFILE, ENFILE, ENOMEM) and nothing has changed.
 */
int prologue_put(const struct prologue *p, size_t len, struct queue *q, int sink);
