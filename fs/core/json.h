/* JSON of what is not always fit for it: what attributes, the control socket and the files of .spfs tell. */
#pragma once

#include <jansson.h>

#include "node.h"
#include "setting.h"

/* Each returns NULL when out of memory, which json_pack() takes for its own failure. */

/* @text, which need not be UTF-8 although JSON must be (text_to_utf8()); null for NULL. */
json_t *json_of_text(const char *text);

/* The node's path from the mount's root; null without a name. */
json_t *json_of_path(const struct node *node);

json_t *json_of_number(uint64_t n);

/* The moment @nsec of clock_nsec() as a date: seconds since the epoch, shown to the millisecond; null for 0, which is none. */
json_t *json_of_moment(uint64_t nsec);

/* A word or a number. */
json_t *json_of_setting(enum setting_key key, uint64_t value);

/* As json_dumps(3), and fit for a terminal (text_json()). NULL: out of memory; the caller frees it. */
char *json_text(const json_t *json, size_t flags);

/* What fails with @err, a negative errno: {"errno": NAME, "error": @why}. */
json_t *json_of_error(int err, const char *why);
