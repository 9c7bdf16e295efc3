/*
 * A lane: where one user's requests to a loop are made that may wait for a device.
 *
 * io_uring makes such requests on threads of the kernel's, of which the one who submits has so many, and writes to one
 * file, or to files that its hash does not tell apart, one after the other (fs.c and io-wq.c of io_uring). All of that goes
 * by the thread that submits, whatever ring it is. So each user has a thread and a ring for each loop: what waits there,
 * for ever if need be, has only requests of the same user behind it. The loop's own ring has none that may wait.
 *
 * On the loop's thread, but for what is said in lane.c.
 */
#pragma once

#include <sys/types.h>

struct io_uring_sqe;
struct lane;
struct loop;

/* Descriptors of a lane. */
#define LANE_DESCRIPTORS 1

/*
 * The lane of @uid in @loop, made where there is none. Owes lane_put(). Returns 0 or a negative errno of
 * io_uring_setup(2) or pthread_create(3).
 */
int lane_get(struct loop *loop, uid_t uid, struct lane **lane);

/* It goes once nobody has it and no request is under way. NULL-safe. */
void lane_put(struct lane *lane);

/*
 * Remembers the credentials of the calling thread, which is the loop's and has taken on somebody's for this moment. Returns
 * the number of the personality, for loop_io_act_as() until lane_personality_remove(), or a negative errno of
 * io_uring_register(2): EINVAL before Linux 5.6.
 */
int lane_personality_add(struct lane *lane);

/* What is under way goes on with it. No-op on 0, which is none. */
void lane_personality_remove(struct lane *lane, int personality);

/* ---- for loop*.c ---- */

/* Submits a copy of @sqe, after those before. Its completion is given to loop_io_complete_all(). */
void lane_submit(struct lane *lane, const struct io_uring_sqe *sqe);

/* A request is under way, until lane_put(). */
void lane_hold(struct lane *lane);

/* The loop has ended: none of its lanes calls back, and what is under way in them goes on without anybody. */
void lanes_leave(struct loop *loop);
