/*
 * A port's URI: what a channel is filled from or drained into, as the user writes it.
 *
 *   KIND:ADDRESS?OPTION=VALUE&OPTION=VALUE
 *
 *   file:/PATH?offset=1M&length=4M      source: these bytes; to the end of the file where length is missing
 *   file:/PATH?append=1&create=0600     sink: behind what is there; the mode of a file that is made
 *   file:/PATH-%H%M?rotate=1h&keep=9    sink: from file to file (series.h, rotation.h)
 *   tcp:HOST:PORT  tcp:[ADDRESS]:PORT   connects; ?retry=SECONDS: again after a failure
 *   tcp-listen:HOST:PORT                accepts; sink: ?slow=block|drop|disconnect, ?grace=SECONDS
 *   unix:/PATH  unix-listen:/PATH       the same with stream sockets of the file system
 *   every sink: ?rate=2M                bytes a second at most; of a listening one for each client
 *               ?on-error=discard|hold|retry ?policy=drop-old ?depth=64K   of its private tap (sink-options.h)
 *   v4l2:/dev/videoN?width=..&height=..&format=FOURCC&fps=..&frames=..
 *   NAME:ANYTHING?timeout=SECONDS&..    a program (programs.h), which is told the options that are not known here
 *
 * Each kind says itself how its address is read and which options it has (kinds.h). Sizes take K, M, G, T (size.h).
 * Within a path or host, %XX stands for a byte, and '?' begins the options. Control characters must be written so. A
 * path is absolute: the daemon does not know its callers' working folders.
 */
#pragma once

#include <stdint.h>

#include "port-report.h"

struct port_kind;
struct uri_option;

/* Of one kind at most. */
#define URI_OPTIONS 16

/* Zero-valid: of no kind. */
struct uri {
	const struct port_kind *kind;
	char *text; /* as it was written */
	char *name; /* of a kind that has none of its own, what it is called; else NULL: uri_name() */
	char *path; /* the parts of an address that the kind has, else NULL */
	char *host; /* "": every address of this machine */
	char *service;
	uint64_t values[URI_OPTIONS]; /* in the order of the kind's options: see uri_value() */
};

#define URI_WHY_MAX 160

/* Writes a reason, cut to fit, cleaned as text.h says: it goes into logs and JSON. */
void uri_why(char why[URI_WHY_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* There is no such kind: writes which there are, with @others behind them. Returns -EINVAL. */
int uri_refuse_kind(char why[URI_WHY_MAX], const char *others);

/* The same as uri_why() where nothing is to be filled in. Returns @err. */
int uri_refuse(char why[URI_WHY_MAX], int err, const char *text);

/*
 * Parses @text for a source or a sink. An option that the kind or the direction does not have is an error.
 * Returns 0, -EINVAL or -ERANGE with the reason in @why (for the log), or -ENOMEM. On success the caller
 * owes uri_finish().
 */
int uri_parse(struct uri *uri, const char *text, enum port_dir dir, char why[URI_WHY_MAX]);

/* Of a descriptor that somebody has passed; its text is "fd". Returns 0 or -ENOMEM. */
int uri_of_fd(struct uri *uri);

/* Returns 0, and @to owes uri_finish(), or -ENOMEM. */
int uri_copy(struct uri *to, const struct uri *from);

/* What its kind is called; @uri's, or static. */
const char *uri_name(const struct uri *uri);

/* What @option was set to; what it is without that, also where the kind has no such option. */
uint64_t uri_value(const struct uri *uri, const struct uri_option *option);

/* Frees what it owns, and leaves it zero. */
void uri_finish(struct uri *uri);
