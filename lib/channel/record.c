/*
 * What is looked at is a duplicate of up to RECORD_LINE_MAX bytes (tee(2)), in a pipe that is there for this alone: who
 * cuts a stream is about to open and close more than that.
 */
#include "record.h"

#include <errno.h>
#include <string.h>

#include "pipe.h"
#include "queue.h"
#include "sys.h"

/* Returns the bytes up to and with the first newline, or 0. */
static size_t record_newline(const char *text, size_t len)
{
	const char *newline = memchr(text, '\n', len);

	return newline ? (size_t)(newline - text) + 1 : 0;
}

/* The same of what can be read from @fd, or a negative errno. */
static ssize_t record_newline_in_pipe(int fd)
{
	char text[4096];
	size_t at = 0;
	ssize_t n;

	while ((n = sys.read(fd, text, sizeof(text))) > 0) {
		size_t found = record_newline(text, (size_t)n);

		if (found)
			return (ssize_t)(at + found);
		at += (size_t)n;
	}
	return n == -EAGAIN ? 0 : n;
}

static ssize_t record_newline_in_chunk(const struct chunk *bytes)
{
	size_t len = bytes->len < RECORD_LINE_MAX ? bytes->len : RECORD_LINE_MAX;
	struct pipe copy = PIPE_NONE;
	ssize_t n;

	if (bytes->stage < 0)
		return (ssize_t)record_newline(bytes->mem, len);
	n = pipe_open(&copy, PIPE_SIZE);
	if (n > 0)
		n = sys.tee(bytes->stage, copy.wr, len);
	if (n > 0)
		n = record_newline_in_pipe(copy.rd);
	pipe_close(&copy);
	return n;
}

ssize_t record_next(uint64_t record, uint64_t past, const struct chunk *bytes)
{
	ssize_t n;

	if (!past || record == RECORD_WRITES)
		return 0;
	if (record != RECORD_LINE)
		return record - past <= bytes->len ? (ssize_t)(record - past) : -ENOENT;
	n = record_newline_in_chunk(bytes);
	if (n)
		return n;
	return bytes->len < RECORD_LINE_MAX ? -ENOENT : 0;
}
