/*
 * The client's side of the daemon's control socket, MOUNTPOINT/.spfs/control: a request is a JSON object, and so
 * is its answer. What is asked for last is taken back when the connection closes before the answer.
 */
#pragma once

#include <jansson.h>

/* Connects to the daemon that serves the mount at @root. Returns a descriptor or a negative errno. */
int control_connect(const char *root);

/*
 * Asks for @request, which it takes, and passes @pass along unless that is -1. Waits for the answer. Returns it,
 * for the caller to free, or NULL with errno set: EPIPE if the daemon has ended.
 */
json_t *control_ask(int fd, json_t *request, int pass);

/* What the daemon says next of what was asked for, as control_ask(). Waits. */
json_t *control_next(int fd);

/*
 * Connects, asks for @request, which it takes, and lets go of the connection. Returns the answer, for the caller to
 * free, or NULL; *why is then, and where the daemon refuses, the reason, valid as long as the answer is; else NULL.
 */
json_t *control_once(const char *root, json_t *request, const char **why);

/* Why it failed, as the daemon says; NULL if it did not. */
const char *control_error(const json_t *answer);

/* Why there is no connection, for people. */
const char *control_reason(int err);

/* The same, where a mount was asked for and not a channel. */
const char *control_no_mount(int err);
