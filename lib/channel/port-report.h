/*
 * What is told of the ends of a channel that the daemon drives, its ports (ends.h): their words stand in reports and
 * events, so they are the channel layer's.
 */
#pragma once

#include <stdint.h>

enum port_dir { PORT_SOURCE, PORT_SINK };

enum port_state {
	PORT_WAITING, /* a source whose turn has not come */
	PORT_RUNNING,
	PORT_LISTENING, /* no peer just now */
	PORT_RETRYING,  /* connects or writes again soon */
	PORT_DONE,      /* the stream has ended and all of it was moved */
	PORT_FAILED,    /* see error */
};
#define PORT_STATES (PORT_FAILED + 1)

#define PORT_HOW_MAX 16

/* A port's part of struct report (report.h). */
struct port_report {
	unsigned id;
	enum port_dir dir;
	enum port_state state;
	uint64_t node; /* a sink's name: the origin's node or a tap's */
	uint64_t
		holder; /* a sink's tap that holds the writer back: the name's or a private one (tap.h); 0: none does */
	uint64_t since; /* it does, as in struct waits */
	char *uri;
	char how[PORT_HOW_MAX];   /* "splice", "copy", "userptr" ... */
	char *file;               /* of a sink: that it writes just now, or NULL */
	uint64_t rotations;       /* how often it has gone on to another */
	char *format;             /* of a camera, or NULL */
	uint64_t bytes;           /* moved */
	uint64_t total;           /* bytes that there will be; 0: unknown */
	uint64_t pages_ref;       /* pages moved by reference, as far as the daemon can see */
	uint64_t copies;          /* calls that copied through the daemon's memory */
	uint64_t frames, dropped; /* of a camera */
	uint64_t clients;         /* of a listener: accepted so far, */
	uint64_t connected;       /* there now, */
	uint64_t disconnected;    /* thrown out or failed, */
	uint64_t lost;            /* and the bytes that they missed */
	int err;                  /* of PORT_FAILED and PORT_RETRYING: a negative errno */
	char *error;              /* its text, or NULL */
};

/* "waiting", "running", "listening", "retrying", "done", "failed". */
const char *port_state_name(enum port_state state);

/* Says how it moves its bytes; what is longer is cut. */
void port_report_how(struct port_report *r, const char *how);

void port_report_finish(struct port_report *r);
