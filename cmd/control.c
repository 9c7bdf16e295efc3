/*
 * One request and its answer at a time on a connection, but for watch, where messages follow. Each is one packet, so
 * nothing comes in parts.
 */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "output.h"
#include "place.h"

/* What a socket takes by default is less. */
#define CONTROL_ANSWER_MAX (1 << 20)

/* By way of /proc, for the path of the mount may be longer than a socket's can be. */
static int control_connect_to(int dir, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int err;

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir, name);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	err = errno == ENOENT || errno == ENOTDIR ? -EXDEV : -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int control_send(int fd, const char *text, int pass)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (char *)(void *)text, strlen(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (pass >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass, sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The daemon that does not serve us says why, and closes: what we had sent by then is told first, once, as a reset. */
static ssize_t control_receive(int fd, char *text)
{
	bool reset = false;
	ssize_t n;

	for (;;) {
		n = recv(fd, text, CONTROL_ANSWER_MAX, 0);
		if (n >= 0 || (errno != EINTR && (errno != ECONNRESET || reset)))
			return n;
		reset |= errno == ECONNRESET;
	}
}

int control_next(int fd, json_t **answer)
{
	char *text = malloc(CONTROL_ANSWER_MAX);
	ssize_t n;
	int err;

	*answer = NULL;
	if (!text)
		return -ENOMEM;
	n = control_receive(fd, text);
	err = n < 0 ? -errno : n == 0 ? -EPIPE : 0;
	if (err == 0)
		*answer = json_loadb(text, (size_t)n, 0, NULL);
	free(text);
	return err < 0 ? err : *answer ? 0 : -EBADMSG;
}

int control_ask(int fd, json_t *request, int pass, json_t **answer)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	int err;

	*answer = NULL;
	json_decref(request);
	err = text ? control_send(fd, text, pass) : -EILSEQ; /* json_pack() refuses what is not UTF-8 */
	free(text);
	/* Why the other end was closed is still to be read. */
	return err < 0 && err != -EPIPE && err != -ECONNRESET ? err : control_next(fd, answer);
}

const char *control_error(const json_t *answer)
{
	return json_string_value(json_object_get(answer, "error"));
}

/* Shows folder @dir, which is all that is to be seen of the mount. Takes @fd, and returns it or a negative errno. */
static int control_enter(int fd, int dir, const char *part)
{
	json_t *answer = NULL;
	int err = control_ask(fd, json_pack("{ss so}", "op", "enter", "folder", output_string(part)), dir, &answer);

	if (err == 0 && control_error(answer))
		err = -EXDEV;
	json_decref(answer);
	if (err < 0)
		close(fd);
	return err < 0 ? err : fd;
}

int control_connect(const struct place *place)
{
	int dir = open(place->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = dir < 0 ? -errno : control_connect_to(dir, ".spfs/control");

	if (fd == -EXDEV && *place->part) {
		fd = control_connect_to(dir, ".spfs");
		if (fd >= 0)
			fd = control_enter(fd, dir, place->part);
	}
	if (dir >= 0)
		close(dir);
	return fd;
}

const char *control_reason(int err)
{
	switch (err) {
	case -ECONNREFUSED:
	case -EPIPE:
	case -ECONNRESET:
		return "the daemon has ended";
	case -EILSEQ:
		return "not UTF-8; write such bytes as %XX";
	default:
		return place_reason(err);
	}
}
