/*
 * The answers to FUSE requests. Every request gets exactly one, from the FUSE thread; errors are negative errnos in all
 * of fs/, and become the kernel's here.
 */
#pragma once

#include <jansson.h>

#include "context.h"

/* @err: 0 or a negative errno. */
void reply_error(fuse_req_t req, int err);

/* It comes too late (job_patient()): answers ETIMEDOUT, and takes the request out of *req. No-op where it was answered. */
void reply_late(fuse_req_t *req);

/* Says in the log of which name and what, and why; NULL: what @err, a negative errno, says. */
void reply_refusal(fuse_req_t req, const struct node *node, const char *what, int err, const char *why);

void reply_attributes(fuse_req_t req, const struct node *node);

/* Fills the entry and counts the look-up, which is to be taken back where the kernel does not take the answer. */
void reply_fill_entry(struct node *node, struct fuse_entry_param *e);

/* Answers a look-up, or what has made a name. The node may be gone afterwards. */
void reply_entry(fuse_req_t req, struct node *node);

/*
 * Answers a getxattr(2) or listxattr(2) whose buffer has @size bytes: @len bytes of @value, or with a
 * @size of 0 how much buffer that needs, with @room to spare, or ERANGE.
 */
void reply_xattr(fuse_req_t req, const char *value, size_t len, size_t size, size_t room);

/* The same with JSON, which is taken; NULL: out of memory. */
void reply_json(fuse_req_t req, json_t *json, size_t size, size_t room);

/* Room for a text whose numbers may have grown by the time it is asked for again. */
#define REPLY_ROOM 512
