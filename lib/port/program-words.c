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
 *
 * Descriptors may come with all of it, and their last close may take for ever (deferred-close.h); even one that is not the last may.
 * So a message is looked at before it is taken, which nobody else can do. Only the one descriptor that is asked for is taken
 * out; with any other the message stays where it is, and that was the program's last: so it costs no thread but the program's own
 * closing.
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

/* Room for credentials alone, or for one descriptor as well. */
#define CONTROL_PLAIN CMSG_SPACE(sizeof(struct ucred))
#define CONTROL_ONE (CONTROL_PLAIN + CMSG_LEN(sizeof(int)))

struct program_message {
	char text[WORDS_MAX + 1];
	ssize_t len;  /* or a negative errno */
	bool is_end;  /* it is none, and none will come */
	bool is_more; /* descriptors came with it for which there was no room */
	int fd;       /* the one for which there was; or -1 */
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

/* It has passed what it may not. */
static void program_breach(struct program *p, int err, const char *what)
{
	p->breached = true;
	if (p->err == 0) {
		p->err = err;
		uri_why(p->why, "%s: %s", p->name, what);
	}
}

static int program_descriptor(struct msghdr *msg)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void program_peek_once(const struct program *p, struct program_message *m, size_t room)
{
	union {
		struct cmsghdr align;
		char bytes[CONTROL_ONE];
	} control;
	struct iovec iov = { .iov_base = m->text, .iov_len = WORDS_MAX };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = room };

	m->len = recvmsg(p->words, &msg, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (m->len < 0) {
		m->len = -errno;
		return;
	}
	m->text[m->len] = '\0';
	m->is_end = msg.msg_controllen == 0; /* each message comes with credentials, even an empty one */
	m->is_more = msg.msg_flags & MSG_CTRUNC;
	m->fd = program_descriptor(&msg);
}

/* The next message, which stays where it is. */
static void program_peek(const struct program *p, struct program_message *m, size_t room)
{
	*m = (struct program_message){ .fd = -1 };
	program_peek_once(p, m, room);
	if (m->is_end) /* one may have come between the kernel's looking for one, and for the end */
		program_peek_once(p, m, room);
}

/* Takes the descriptor of the next message out of it. Returns whether it may come. */
static bool program_peek_passed(struct program *p, struct program_message *m)
{
	if (deferred_close_crowded(user_count_user(p->user))) {
		program_breach(p, -EUSERS, "too many of your descriptors are still being closed");
		return false;
	}
	program_peek(p, m, CONTROL_ONE);
	if (m->fd >= 0 && !m->is_more)
		return true;
	p->stray = m->fd;
	if (m->fd < 0)
		program_breach(p, -EMFILE, "there is no room for what it has passed");
	else
		program_breach(p, -EPROTO, "it has passed more than one descriptor");
	return false;
}

/* Returns whether there may be more. */
static bool program_hear(struct program *p)
{
	struct program_message m;
	char *rest = m.text, *line;

	program_peek(p, &m, CONTROL_PLAIN);
	if (m.len < 0) /* ECONNRESET is told before what is there */
		return m.len == -EINTR || m.len == -ECONNRESET;
	p->words_over = m.is_end;
	if (m.is_end || (m.is_more && !program_peek_passed(p, &m)))
		return false;
	while ((line = strsep(&rest, "\n")))
		program_says(p, line, &m.fd);
	if (m.fd >= 0) {
		p->stray = m.fd;
		program_breach(p, -EPROTO, "it has passed a descriptor that is not to be taken");
		return false;
	}
	recv(p->words, m.text, 0, MSG_DONTWAIT); /* (what came with it is open here) */
	return true;
}

void program_listen_words(struct program *p)
{
	for (int i = 0; i < WORDS_TURN && program_words(p) >= 0 && program_hear(p); i++)
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

/* As recv(2); looked at first, as a message is. */
static ssize_t program_receive_complaint(struct program *p, char *text, size_t size)
{
	struct iovec iov = { .iov_base = text, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(p->errors, &msg, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0 && (msg.msg_flags & MSG_CTRUNC)) {
		program_breach(p, -EPROTO, "it has passed a descriptor with what it complains of");
		n = -1;
		errno = EPROTO;
	}
	return n > 0 ? recv(p->errors, text, (size_t)n, MSG_DONTWAIT) : n;
}

void program_listen_complaints(struct program *p)
{
	char text[1024];
	ssize_t n = 0;

	for (size_t all = 0; program_complaints(p) >= 0 && all < COMPLAINTS_TURN; all += (size_t)n) {
		n = program_receive_complaint(p, text, sizeof(text));
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return;
		else if (n == 0) {
			program_complains(p, '\n');
			p->errors_over = true;
		}
		for (ssize_t i = 0; i < n; i++)
			program_complains(p, text[i]);
	}
}
