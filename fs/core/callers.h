/*
 * The supplementary groups of who makes a request. The kernel does not tell them with it: they are in /proc/PID/status,
 * which it writes as a whole for whoever reads a byte of it. For one who is in 65536 groups that takes it 4 ms, and nothing
 * tells beforehand how many they are. So who is not root has them read by an errand (errand.h), of which one user has
 * CALLERS_USER_MAX at a time; the rest of that user's requests wait for their turn, and nobody else's for them.
 *
 * They are read anew for each request that they make a difference to, and no further: who asks sleeps until the answer, so
 * they cannot change meanwhile. An operation that may ask for them (access_rights()) looks first whether it has to wait:
 * it is then left, and handled from its beginning once they are known. Where none has looked, they are read on the spot:
 * that is as right, and only takes its time.
 *
 * All on the FUSE thread.
 */
#pragma once

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct caller_user;
struct context;

/* At the same time; the other errands are left to what hangs. */
#define CALLERS_USER_MAX 4

/* Requests of one user that wait; the kernel has the folders of some locked meanwhile. What comes beyond is EUSERS. */
#define CALLERS_WAITING_MAX 1024

/* Of a request, as far as they were asked for. Zero: they were not. */
struct caller_groups {
	bool known;
	int err;       /* why they could not be read; negative */
	gid_t *groups; /* ascending */
	size_t count;
};

struct callers {
	const struct fuse_buf *request; /* that is being handled from its beginning; NULL: none is */
	struct caller_groups groups;    /* of who has made what is being handled */
	struct caller_user *users;      /* who have some under way */
};

/* Handles a request that was read; @request may be changed after that. */
void callers_process(struct context *ctx, const struct fuse_buf *request);

/*
 * Whether the operation has to wait for its caller's groups, and is to return at once. Before anything was done, and
 * within the operation's first call: @req is not to be used any more. False: they are known, or are read on the spot.
 */
bool callers_wait(fuse_req_t req);

/* For what is handled later on: takes what is known of the request being handled along, and has it known again. */
struct caller_groups callers_take(struct context *ctx);
void callers_give(struct context *ctx, struct caller_groups *groups);

/* Nothing of it is known any more. */
void callers_forget(struct context *ctx);
