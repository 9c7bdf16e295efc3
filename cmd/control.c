#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What a socket takes by default is less. */
#define ANSWER_MAX (1 << 20)

/* By way of /proc, for the path of the mount may be longer than a socket's can be. */
int control_connect(const char *root)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int err = 0;

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/.spfs/control", dir);
	if (dir < 0 || fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err = -errno;
	if (dir >= 0)
		close(dir);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

static int send_request(int fd, const char *text, int pass)
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
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

json_t *control_next(int fd)
{
	char *text = malloc(ANSWER_MAX);
	json_t *answer = NULL;
	ssize_t n = -1;

	if (text)
		do
			n = recv(fd, text, ANSWER_MAX, 0);
		while (n < 0 && errno == EINTR);
	if (n > 0)
		answer = json_loadb(text, (size_t)n, 0, NULL);
	free(text);
	if (!answer && n >= 0)
		errno = n == 0 ? EPIPE : EBADMSG;
	return answer;
}

json_t *control_ask(int fd, json_t *request, int pass)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_t *answer = NULL;

	json_decref(request);
	if (!text) /* json_pack() refuses what is not UTF-8 */
		errno = EILSEQ;
	else if (send_request(fd, text, pass) == 0)
		answer = control_next(fd);
	free(text);
	return answer;
}

json_t *control_once(const char *root, json_t *request, const char **why)
{
	int fd = control_connect(root);
	json_t *answer = NULL;

	if (fd >= 0)
		answer = control_ask(fd, request, -1);
	else
		json_decref(request);
	*why = answer ? control_error(answer) : control_reason(fd < 0 ? -fd : errno);
	if (fd >= 0)
		close(fd);
	return answer;
}

const char *control_error(const json_t *answer)
{
	return json_string_value(json_object_get(answer, "error"));
}

const char *control_reason(int err)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return "not a splice channel";
	case ECONNREFUSED:
	case ENOTCONN:
	case EPIPE:
	case ECONNRESET:
		return "the daemon has ended";
	case EILSEQ:
		return "a name that is not UTF-8; use the attribute instead";
	default:
		return strerror(err);
	}
}

const char *control_no_mount(int err)
{
	return err == ENOENT || err == ENOTDIR ? "not a mount of spfs" : control_reason(err);
}
