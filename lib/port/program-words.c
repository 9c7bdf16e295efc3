/*
 * What a program says: on its socket, a message (of SOCK_SEQPACKET) of one or more lines each,
 *
 *   ready            it moves bytes from now on: the attach is answered
 *   error [E...] why it fails, or will; ECONNREFUSED and its like are the errno, which is EIO where there is none
 *   how WORD         how it moves them, for spfs ports: letters, digits and '-'
 *   listening        it will be ready once a peer has come: the attach is answered all the same
 *   take             with a descriptor (SCM_RIGHTS): the daemon is to go on with that instead of the pipe
 *
 * and on standard error, of which the last line is why it has failed unless it has said better. Anything else is left
 * unheard, which costs nobody anything. A message that is longer is cut.
 */
#include "program.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base.h"
#include "deferred-close.h"
#include "user-count.h"

#define WORDS_MAX 1024
#define WORDS_TURN 16

/* Bytes of standard error that are read in a turn. */
#define COMPLAINTS_TURN (16 << 10)

/* SCM_MAX_FD: what did not fit the kernel would close, on this thread, for as long as that takes. */
#define WORDS_FDS 253

union program_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(WORDS_FDS * sizeof(int))];
};

/* ECONNREFUSED -> -111; 0: it is no errno's name. ENOSYS, which is for kernels to say, means EOPNOTSUPP. */
static int program_errno(const char *name, size_t len)
{
	for (int err = 1; err < 134; err++) {
		const char *known = strerrorname_np(err);

		if (known && strlen(known) == len && !memcmp(known, name, len))
			return err == ENOSYS ? -EOPNOTSUPP : -err;
	}
	return 0;
}

static void program_says_error(struct program *p, const char *text)
{
	size_t len = strcspn(text, " ");
	int err = program_errno(text, len);

	if (p->err < 0) /* the first is the cause */
		return;
	p->err = err ? err : -EIO;
	if (err)
		text += len + (text[len] == ' ');
	uri_why(p->why, "%s", *text ? text : strerror(-p->err));
}

static void program_says_how(struct program *p, const char *word)
{
	size_t len = strlen(word);

	if (len == 0 || len >= sizeof(p->how))
		return;
	for (const char *c = word; *c; c++)
		if (!isascii((unsigned char)*c) || (!isalnum((unsigned char)*c) && *c != '-'))
			return;
	memcpy(p->how, word, len + 1);
}

/* What stands behind @word in @line; NULL: it begins with another. */
static const char *program_behind(const char *line, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(line, word, len) || (line[len] && line[len] != ' '))
		return NULL;
	return line + len + (line[len] == ' ');
}

static void program_says(struct program *p, const char *line, int *fd)
{
	const char *rest;

	if (!strcmp(line, "ready"))
		p->ready = true;
	else if (!strcmp(line, "listening"))
		p->listening = true;
	else if ((rest = program_behind(line, "error")))
		program_says_error(p, rest);
	else if ((rest = program_behind(line, "how")))
		program_says_how(p, rest);
	else if (!strcmp(line, "take") && *fd >= 0 && !program_moves(p)) {
		fd_close(&p->data); /* a pipe's: it waits for nobody */
		fd_close(&p->unread);
		p->data = fd_take(fd);
		p->handed = true;
	}
}

/* Returns the first descriptor, or -1; the others are closed elsewhere. */
static int program_take_fd(struct program *p, struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t count = c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS ?
			       (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) :
			       0;
	int fds[WORDS_FDS], first = -1;

	if (count)
		memcpy(fds, CMSG_DATA(c), count * sizeof(int));
	for (size_t i = 0; i < count; i++) {
		if (i == 0)
			first = fds[i];
		else
			deferred_close(&fds[i], user_count_user(p->user));
	}
	return first;
}

/* Returns whether there may be more. */
static bool program_hear(struct program *p)
{
	char text[WORDS_MAX + 1], *rest = text, *line;
	union program_control control;
	struct iovec iov = { .iov_base = text, .iov_len = WORDS_MAX };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(p->words, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd;

	if (n < 0)
		return errno == EINTR;
	fd = program_take_fd(p, &msg);
	text[n] = '\0';
	while ((line = strsep(&rest, "\n")))
		program_says(p, line, &fd);
	deferred_close(&fd, user_count_user(p->user));
	if (n == 0) /* the end, or an empty message, which says nothing either */
		fd_close(&p->words);
	return n > 0;
}

void program_listen_words(struct program *p)
{
	for (int i = 0; i < WORDS_TURN && p->words >= 0 && program_hear(p); i++)
		;
}

/* ---- standard error ---- */

static void program_complains(struct program *p, char c)
{
	if (c == '\n' || c == '\r') {
		p->line[p->line_len] = '\0';
		if (p->line_len)
			uri_why(p->complaint, "%s", p->line);
		p->line_len = 0;
	} else if (c && p->line_len < sizeof(p->line) - 1) {
		p->line[p->line_len++] = c;
	}
}

void program_listen_complaints(struct program *p)
{
	char text[1024];
	ssize_t n = 0;

	for (size_t all = 0; p->errors >= 0 && all < COMPLAINTS_TURN; all += (size_t)n) {
		n = recv(p->errors, text, sizeof(text), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return;
		else if (n == 0) {
			program_complains(p, '\n');
			fd_close(&p->errors);
		}
		for (ssize_t i = 0; i < n; i++)
			program_complains(p, text[i]);
	}
}
