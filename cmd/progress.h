/*
 * The progress of a port on stderr: one line, drawn again and again on a terminal; elsewhere only the last one,
 * once it is over.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool terminal;
	const char *what; /* the URI */
	uint64_t start;   /* on clock_nsec() */
	uint64_t at;      /* of the last drawing, when so many bytes had been moved */
	double bytes;
	double rate; /* bytes a second, smoothed; below 0: not known yet */
};

void progress_start(struct progress *p, const char *what);

/* @port: as the daemon tells of it. */
void progress_draw(struct progress *p, const json_t *port);

/* Takes the line away; if the port is done, says what it was. */
void progress_end(struct progress *p, const json_t *port, bool done);

/* Between two drawings. */
#define PROGRESS_MSEC 200
