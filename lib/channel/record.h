/*
 * Records: where a stream may be cut. A new tap begins at a boundary, and so does what is left after a drop; what was
 * before it ends at one.
 *
 * A channel's setting says what its records are: whole writes (0), so many bytes each, counted from the start of the
 * stream, or lines. Boundaries of writes and of bytes are known without a look at the stream; those of lines are looked
 * for in it, at the moment when it is to be cut there, and never while it flows.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct chunk;

/* Values of SETTING_RECORD. In between: bytes, up to RECORD_MAX. */
#define RECORD_WRITES 0
#define RECORD_MAX (1 << 20)
#define RECORD_LINE UINT64_MAX

/* A line that is longer may be cut. */
#define RECORD_LINE_MAX 65536

/* Whether a number of bytes tells where its boundaries are. */
static inline bool record_has_size(uint64_t record)
{
	return record != RECORD_WRITES && record != RECORD_LINE;
}

/* How far byte @position of a stream is behind the last boundary: 0, it is one; of lines, 1: it is not known. */
static inline uint64_t record_past(uint64_t record, uint64_t position)
{
	return record == RECORD_LINE ? position > 0 : record ? position % record : 0;
}

/*
 * Cut here: where the next boundary is, at or after the first byte of @bytes, which is @past (record_past()) bytes behind
 * the last one. Returns how many bytes are before it, up to @bytes->len, where it may be as well; or -ENOENT, it comes
 * later, or a negative errno (EMFILE, ENFILE), it cannot be told. Takes nothing, whether the bytes are in memory or in a
 * pipe, of which it looks at a duplicate. It does not wait.
 *
 * Whole writes of up to PIPE_BUF bytes: a chunk, as it comes out of a pipe whole reference by whole reference, begins with
 * one. A sink that cuts its own file asks this with what it is about to write, and @past of what it has written.
 */
ssize_t record_next(uint64_t record, uint64_t past, const struct chunk *bytes);
