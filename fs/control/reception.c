/*
 * Two hold a reception, the thread and the loop, and the last one frees it. Where the loop has let go, nobody takes the
 * socket back: it is closed on the thread, or on one of its own.
 */
#include "reception.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"
#include "deferred-close.h"
#include "fifo.h"

/* Of one message, net/core/scm.h: SCM_MAX_FD. */
#define DESCRIPTORS_MAX 253

struct reception {
	struct deferred_close *aside;
	atomic_uint holders;
	int socket;
	uid_t uid;
	bool takes;
	bool identifies;
	void (*done)(void *data, int socket, struct received *got);
	void *data;
	struct received got;
};

enum reception_head reception_look(int socket)
{
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	/* Without room for control data it tells that there are descriptors, and makes no copies of them (scm_recv()). */
	ssize_t n = recvmsg(socket, &msg, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? RECEPTION_NOTHING : RECEPTION_END;
	if (n == 0)
		return RECEPTION_END;
	return msg.msg_flags & MSG_CTRUNC ? RECEPTION_DESCRIPTORS : RECEPTION_TEXT;
}

/* ---- on the thread ---- */

/* Keeps what was passed with the message, if it is one descriptor. Returns 0 or -EINVAL, -EMFILE. */
static int reception_keep(struct received *got, struct msghdr *msg)
{
	unsigned count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
			fd_close(&got->fd);
			memcpy(&got->fd, (char *)c + at, sizeof(int));
			count++;
		}
	}
	if (count == 1 && !(msg->msg_flags & MSG_CTRUNC))
		return fifo_fd_check(got->fd);
	fd_close(&got->fd);
	return -EINVAL;
}

/* What it is of the kernel's own knowledge: nobody is asked for it, and it may wait all the same. */
static void reception_identify(struct received *got)
{
	struct statx st;

	if (got->fd >= 0 && statx(got->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) == 0)
		got->id = (struct file_id){ makedev(st.stx_dev_major, st.stx_dev_minor), st.stx_ino };
}

static void reception_take(struct reception *r)
{
	char control[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	struct received *got = &r->got;
	struct iovec iov = { got->text, CONTROL_MAX };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = r->takes ? sizeof(control) : 0,
	};

	/* (MSG_TRUNC: the whole length) */
	got->len = recvmsg(r->socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);
	got->err = got->len < 0 ? -errno : reception_keep(got, &msg);
	if (got->err == 0 && r->identifies)
		reception_identify(got);
}

/* One of the two lets go. Returns whether it was the last. */
static bool reception_let_go(struct reception *r)
{
	return atomic_fetch_sub(&r->holders, 1) == 1;
}

static void reception_free(struct reception *r)
{
	free(r->got.text);
	free(r);
}

static void reception_run(void *state)
{
	struct reception *r = state;

	reception_take(r);
	if (!reception_let_go(r))
		return;
	fd_close(&r->got.fd);
	fd_close(&r->socket);
	reception_free(r);
}

/* ---- on the loop ---- */

static void reception_done(void *data)
{
	struct reception *r = data;
	struct received got = r->got;
	int socket = fd_take(&r->socket);

	r->got.text = NULL;
	r->got.fd = -1;
	r->done(r->data, socket, &got);
	reception_free(r); /* the thread is through, or there was none to be had */
}

struct reception *reception_start(struct loop *loop, int *socket, uid_t uid, bool takes, bool identifies,
				  void (*done)(void *data, int socket, struct received *got), void *data)
{
	struct reception *r = calloc(1, sizeof(*r));
	char *text = malloc(CONTROL_MAX);

	if (r)
		r->aside = deferred_close_create(loop, uid, reception_done, r);
	if (!r || !r->aside || !text) {
		if (r)
			deferred_close_forget(r->aside);
		free(text);
		free(r);
		return NULL;
	}
	atomic_init(&r->holders, 2);
	r->socket = fd_take(socket);
	r->uid = uid;
	r->takes = takes;
	r->identifies = identifies;
	r->done = done;
	r->data = data;
	r->got = (struct received){ .text = text, .len = -1, .fd = -1, .err = -EAGAIN };
	deferred_close_begin(r->aside, r->socket, reception_run, r);
	return r;
}

void reception_forget(struct reception *r)
{
	if (!r)
		return;
	deferred_close_forget(r->aside);
	if (!reception_let_go(r))
		return;
	deferred_close(&r->got.fd, r->uid);
	deferred_close(&r->socket, r->uid);
	reception_free(r);
}
