#include "scout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "control.h"

/* What the child says; the descriptors come along, the folder's first. */
struct scout_answer {
	int dir;     /* 0 or a negative errno */
	int control; /* the same */
	dev_t dev;
};

union scout_rights {
	struct cmsghdr head; /* for its alignment */
	char buf[CMSG_SPACE(3 * sizeof(int))];
};

/* Returns the message's length, 0 or less where it cannot be sent. */
static ssize_t scout_send(int to, const struct scout_answer *a, const int *fds, size_t count)
{
	union scout_rights rights = { 0 };
	struct iovec iov = { (void *)a, sizeof(*a) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (count) {
		msg.msg_control = rights.buf;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
				       .cmsg_type = SCM_RIGHTS,
				       .cmsg_len = CMSG_LEN(count * sizeof(int)) };
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	return sendmsg(to, &msg, MSG_NOSIGNAL);
}

/* The child. */
__attribute__((noreturn)) static void scout_run(int tree, int answer)
{
	struct scout_answer a = { 0 };
	struct stat st = { 0 };
	struct control_sockets sockets;
	int fds[3];
	size_t count = 0;

	/* Both numbers may be taken: so by way of higher ones. */
	tree = fcntl(tree, F_DUPFD, 5);
	answer = fcntl(answer, F_DUPFD, 5);
	if (tree < 0 || answer < 0 || dup2(tree, 3) < 0 || dup2(answer, 4) < 0)
		_exit(1);
	close_range(5, ~0U, 0);
	fds[0] = openat(3, ".spfs/fifos", O_PATH | O_DIRECTORY | O_CLOEXEC);
	a.dir = fds[0] < 0 || fstat(fds[0], &st) < 0 ? -errno : 0;
	a.dev = st.st_dev;
	count += a.dir == 0;
	sockets = control_bind(3);
	a.control = sockets.err;
	if (a.control == 0) {
		fds[count++] = sockets.whole;
		fds[count++] = sockets.door;
	}
	_exit(scout_send(4, &a, fds, count) < 0);
}

int scout_start(struct scout *s, int tree)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	s->pid = fork();
	if (s->pid == 0)
		scout_run(tree, ends[1]);
	close(ends[1]);
	if (s->pid < 0) {
		int err = -errno;

		close(ends[0]);
		s->pid = 0;
		return err;
	}
	s->answer = ends[0];
	return 0;
}

int scout_wait(struct scout *s, int *dir, dev_t *dev, struct control_sockets *control)
{
	struct scout_answer a;
	union scout_rights rights;
	struct iovec iov = { &a, sizeof(a) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = rights.buf, .msg_controllen = sizeof(rights.buf)
	};
	const struct cmsghdr *c;
	const int *fds;
	ssize_t n;

	*dir = -1;
	*dev = 0;
	*control = CONTROL_SOCKETS_NONE(-ENOTCONN);
	do
		n = recvmsg(s->answer, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(a))
		return n < 0 ? -errno : -ECHILD;
	c = CMSG_FIRSTHDR(&msg);
	fds = c ? (const int *)(const void *)CMSG_DATA(c) : NULL;
	if (fds && a.dir == 0)
		*dir = *fds++;
	*dev = a.dev;
	control->err = fds || a.control < 0 ? a.control : -ENOTCONN;
	if (control->err == 0) {
		control->whole = fds[0];
		control->door = fds[1];
	}
	return a.dir;
}

void scout_finish(struct scout *s)
{
	fd_close(&s->answer);
	if (s->pid)
		while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
			;
	s->pid = 0;
}
