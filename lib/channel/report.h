/* A report: a channel's counters as they were at one moment, for another thread to read. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "outlet.h"
#include "port-report.h"
#include "setting.h"
#include "waits.h"

struct channel;

struct tap_report {
	uint64_t id;
	uint64_t bytes_out; /* taken by the tap's FIFO */
	bool each; /* a broadcast: what follows is of all its taps, but for the waiting, the size, the fill and the state */
	uint64_t readers; /* a broadcast's; its fullest tap's is what waits */
	uint64_t waiting; /* bytes held for the reader: queued and in the FIFO */
	uint64_t size;    /* of the ring and the depth: bytes before the policy applies; 0 while idle */
	int fill;         /* fill.h */
	uint64_t lost;    /* bytes, and how often */
	uint64_t drops;
	struct settings settings;
	enum outlet_state state;
	struct waits waits;
};

struct report {
	struct settings settings;
	uint64_t bytes_in;
	uint64_t waiting; /* bytes in the origin */
	uint64_t streams; /* that have ended */
	uint64_t chunks_ref;
	uint64_t chunks_copy;
	bool unwritten;  /* nobody has the origin open for writing, whoever says so */
	uint64_t lost;   /* bytes, with what is not in this report any more */
	size_t prologue; /* bytes that are there of it */
	struct waits waits;
	int fill;     /* fill.h */
	int size;     /* the origin's capacity in bytes; 0 where the daemon does not read it */
	size_t count; /* of the taps that have names, and the broadcasts */
	struct tap_report *taps;
	size_t port_count;
	struct port_report *ports;
};

/* On the channel's worker. Returns NULL when out of memory. */
struct report *report_create(const struct channel *ch);

/* NULL-safe. */
void report_free(struct report *r);
