/*
 * The client's side of the daemon's control socket, MOUNTPOINT/.spfs/control: a request is a JSON object, and so
 * is its answer. What is asked for last is taken back when the connection closes before the answer.
 */
#pragma once

#include <jansson.h>

struct place;

/*
 * Connects to the daemon that serves the mount that @place is in; where that shows but a part, requests are about what is in
 * the part. Returns a descriptor or a negative errno: -EXDEV where there is no .spfs, -ECONNREFUSED or -ENOTCONN where the
 * daemon has ended.
 */
int control_connect(const struct place *place);

/*
 * Asks for @request, which it takes (NULL: it could not be made), and passes @pass along unless that is -1. Waits for
 * the answer, which is the caller's to free. Returns 0 or a negative errno: -EPIPE if the daemon has ended, -EILSEQ
 * where the request is NULL.
 */
int control_ask(int fd, json_t *request, int pass, json_t **answer);

/* What the daemon says next of what was asked for, as control_ask(). Waits. */
int control_next(int fd, json_t **answer);

/* Why it failed, as the daemon says; NULL if it did not. */
const char *control_error(const json_t *answer);

/* Why the daemon was not asked, for people: @err is a negative errno. */
const char *control_reason(int err);
