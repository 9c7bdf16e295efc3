/*
 * A port's URI: what a channel is filled from or drained into, as the user writes it.
 *
 *   file:/PATH?offset=1M&length=4M      source: these bytes; to the end of the file where length is missing
 *   file:/PATH?append=1&create=0600     sink: behind what is there; the mode of a file that is made
 *   tcp:HOST:PORT  tcp:[ADDRESS]:PORT   connects; ?retry=SECONDS: again after a failure
 *   tcp-listen:HOST:PORT                accepts; sink: ?slow=block|drop|disconnect, ?grace=SECONDS
 *   unix:/PATH  unix-listen:/PATH       the same with stream sockets of the file system
 *   every sink: ?rate=2M                bytes a second at most; of a listening one for each client
 *   v4l2:/dev/videoN?width=..&height=..&format=FOURCC&fps=..&frames=..
 *
 * Sizes take K, M, G, T (size.h). Within a path or host, %XX stands for a byte, and '?' begins the
 * options. Control characters must be written so. A path is absolute: the daemon does not know its callers'
 * working folders.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "port-report.h"

enum uri_kind { URI_FILE, URI_TCP, URI_TCP_LISTEN, URI_UNIX, URI_UNIX_LISTEN, URI_V4L2, URI_FD };
#define URI_KINDS (URI_FD + 1)

/* "tcp-listen" and so on; of a descriptor "fd". */
const char *uri_kind_name(enum uri_kind kind);

/* The kind of that name; -1: there is none. */
int uri_kind_find(const char *name);

/* What becomes of a client of a listening sink that does not keep up. */
enum uri_slow { URI_SLOW_DISCONNECT, URI_SLOW_DROP, URI_SLOW_BLOCK };

#define URI_TO_END UINT64_MAX

struct uri {
	enum uri_kind kind;
	char *text; /* as it was written */
	char *path; /* file, unix, v4l2 */
	char *host; /* tcp; "" for every address (tcp-listen) */
	char *service;

	uint64_t offset;
	uint64_t length; /* URI_TO_END */
	bool append;
	mode_t create; /* 0644 */
	unsigned retry; /* seconds; 0: never */
	enum uri_slow slow;
	unsigned grace; /* seconds that a slow client may hold the others back; 5 */
	unsigned width, height, fps; /* 0: as the device likes */
	uint32_t format;             /* a V4L2 fourcc */
	uint64_t frames;             /* 0: for ever */
	uint64_t rate;               /* bytes a second; 0: any */
};

#define URI_WHY_MAX 160

/* Writes a reason, cut to fit, cleaned as text.h says: it goes into logs and JSON. */
void uri_why(char why[URI_WHY_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Parses @text for a source or a sink. An option that the kind or the direction does not have is an error.
 * Returns 0, -EINVAL or -ERANGE with the reason in @why (for the log), or -ENOMEM. On success the caller
 * owes uri_finish().
 */
int uri_parse(struct uri *uri, const char *text, enum port_dir dir, char why[URI_WHY_MAX]);

/* A URI_FD, whose text is "fd". Returns 0 or -ENOMEM. */
int uri_of_fd(struct uri *uri);

/* Frees what it owns, and leaves it zero. NULL-safe fields. */
void uri_finish(struct uri *uri);
