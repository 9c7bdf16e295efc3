/* Answers in JSON: what attributes and the control socket tell. */
#pragma once

#include <jansson.h>

#include "server.h"

/* Each returns NULL when out of memory, which json_pack() takes for its own failure. */

/* @text, which need not be UTF-8 although JSON must be; null for NULL. */
json_t *json_of_text(const char *text);

/* The node's path from the mount's root; null without a name. */
json_t *json_of_path(const struct node *node);

json_t *json_of_number(uint64_t n);

/* Answers a getxattr(2), see xattr_reply(). Takes @json. */
void json_reply_xattr(fuse_req_t req, json_t *json, size_t size, size_t room);
