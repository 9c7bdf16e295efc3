/*
 * A socket's buffer takes some hundreds of messages (net.core.wmem_max), more with CAP_NET_ADMIN; then another pair comes
 * behind it, and its own sending end is closed. No pair is empty. So many in flight cost few descriptors, and none none.
 *
 * A message that is received where no descriptor is left takes its file with it, and to close that may wait: so it is
 * looked at (MSG_PEEK), and received only once the file is in the table.
 */
#include "flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base.h"

/* Bytes, of which the kernel counts about 800 for each. */
#define FLIGHT_BUFFER (16 << 20)

struct flight_pair {
	TAILQ_ENTRY(flight_pair) entry;
	size_t count;
	int from;
	int to; /* -1: it was full */
};

/* A message: whose it is, and a descriptor. */
struct flight_message {
	struct iovec iov;
	struct msghdr msg;
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control;
};

static void flight_message_init(struct flight_message *m, uid_t *uid)
{
	m->iov = (struct iovec){ uid, sizeof(*uid) };
	memset(&m->control, 0, sizeof(m->control));
	m->msg = (struct msghdr){
		.msg_iov = &m->iov, .msg_iovlen = 1, .msg_control = &m->control, .msg_controllen = sizeof(m->control)
	};
}

void flight_init(struct flight *f)
{
	TAILQ_INIT(&f->pairs);
	f->count = 0;
}

/* ---- in ---- */

static int flight_send(struct flight_pair *pair, int fd, uid_t uid)
{
	struct flight_message m;

	flight_message_init(&m, &uid);
	m.control.header.cmsg_len = CMSG_LEN(sizeof(int));
	m.control.header.cmsg_level = SOL_SOCKET;
	m.control.header.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&m.control.header), &fd, sizeof(fd));
	if (sendmsg(pair->to, &m.msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	pair->count++;
	return 0;
}

/* With @fd as its first. */
static int flight_add_pair(struct flight *f, int fd, uid_t uid)
{
	struct flight_pair *pair = calloc(1, sizeof(*pair));
	int size = FLIGHT_BUFFER, ends[2], err;

	if (!pair)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
		err = -errno;
		free(pair);
		return err;
	}
	pair->from = ends[0];
	pair->to = ends[1];
	if (setsockopt(pair->to, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(pair->to, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	err = flight_send(pair, fd, uid);
	if (err < 0) {
		fd_close(&pair->from);
		fd_close(&pair->to);
		free(pair);
		return err;
	}
	if (!TAILQ_EMPTY(&f->pairs))
		fd_close(&TAILQ_LAST(&f->pairs, flight_pairs)->to);
	TAILQ_INSERT_TAIL(&f->pairs, pair, entry);
	return 0;
}

int flight_put(struct flight *f, int fd, uid_t uid)
{
	int err = TAILQ_EMPTY(&f->pairs) ? -EAGAIN : flight_send(TAILQ_LAST(&f->pairs, flight_pairs), fd, uid);

	if (err == -EAGAIN)
		err = flight_add_pair(f, fd, uid);
	if (err == 0)
		f->count++;
	return err;
}

/* ---- out ---- */

int flight_look(const struct flight *f, int *fd, uid_t *uid)
{
	const struct flight_pair *pair = TAILQ_FIRST(&f->pairs);
	struct flight_message m;

	if (!pair)
		return -ENOENT;
	flight_message_init(&m, uid);
	if (recvmsg(pair->from, &m.msg, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	if (m.msg.msg_controllen < CMSG_LEN(sizeof(int)))
		return -EMFILE;
	memcpy(fd, CMSG_DATA(&m.control.header), sizeof(*fd));
	return 0;
}

void flight_drop(struct flight *f)
{
	struct flight_pair *pair = TAILQ_FIRST(&f->pairs);
	uid_t uid;

	if (recv(pair->from, &uid, sizeof(uid), MSG_DONTWAIT) < 0)
		return;
	f->count--;
	if (--pair->count)
		return;
	TAILQ_REMOVE(&f->pairs, pair, entry);
	fd_close(&pair->from);
	fd_close(&pair->to);
	free(pair);
}

void flight_finish(struct flight *f)
{
	struct flight_pair *pair;

	while ((pair = TAILQ_FIRST(&f->pairs))) {
		TAILQ_REMOVE(&f->pairs, pair, entry);
		free(pair);
	}
}
