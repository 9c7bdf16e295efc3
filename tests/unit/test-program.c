/* What a program says, word by word; and of what it says, what is not believed. */
#include "program.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deferred-close.h"
#include "user-count.h"

static struct user_counts users = USER_COUNTS_NONE;

/* A program without a process, and its end of the sockets. */
struct talk {
	struct program p;
	int words, errors;
};

static void talk_begin(struct talk *t)
{
	int words[2], errors[2];

	*t = (struct talk){
		.p = { .dir = PORT_SINK, .pid = -1, .process = -1, .data = -1, .unread = -1, .stray = -1 }
	};
	t->p.name = "it";
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, words), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, errors), 0);
	cr_assert_eq(setsockopt(words[0], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)), 0);
	t->p.words = words[0];
	t->words = words[1];
	cr_assert_eq(setsockopt(errors[0], SOL_SOCKET, SO_OOBINLINE, &(int){ 1 }, sizeof(int)), 0);
	t->p.errors = errors[0];
	t->errors = errors[1];
	t->p.user = user_count_get(&users, 0);
	cr_assert(t->p.user);
}

static void talk_end(struct talk *t)
{
	close(t->words);
	close(t->errors);
	close(t->p.words);
	close(t->p.errors);
	close(t->p.data);
	close(t->p.stray);
	user_count_put(&users, t->p.user);
}

static void say(struct talk *t, const char *words)
{
	cr_assert_eq(send(t->words, words, strlen(words), 0), (ssize_t)strlen(words));
	program_listen_words(&t->p);
}

static void complain(struct talk *t, const char *text)
{
	cr_assert_eq(send(t->errors, text, strlen(text), 0), (ssize_t)strlen(text));
	program_listen_complaints(&t->p);
}

static void pass(int to, const char *words, const int *fds, size_t count, int flags)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)words, strlen(words) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	cr_assert_geq(sendmsg(to, &msg, flags), 0);
}

static void hand(struct talk *t, const char *words, const int *fds, size_t count)
{
	pass(t->words, words, fds, count, 0);
	program_listen_words(&t->p);
}

Test(program, says_what_it_has_to_say)
{
	struct talk t;

	talk_begin(&t);
	say(&t, "how ktls\nready\n");
	cr_expect(t.p.ready);
	cr_expect_str_eq(t.p.how, "ktls");
	say(&t, "error ENOSPC no room\nerror EIO later");
	cr_expect_eq(t.p.err, -ENOSPC);
	cr_expect_str_eq(t.p.why, "no room");
	talk_end(&t);
}

Test(program, has_an_error_of_any_kind)
{
	static const struct {
		const char *says, *why;
		int err;
	} errors[] = {
		{ "error", "Input/output error", -EIO },
		{ "error ", "Input/output error", -EIO },
		{ "error EPERM", "Operation not permitted", -EPERM },
		{ "error ENOSYS not here", "not here", -EOPNOTSUPP },
		{ "error EPERMS x", "EPERMS x", -EIO },
		{ "error E", "E", -EIO },
		{ "error a\tb\033[2J", "a?b?[2J", -EIO },
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		struct talk t;

		talk_begin(&t);
		say(&t, errors[i].says);
		cr_expect_eq(t.p.err, errors[i].err, "%s: %d", errors[i].says, t.p.err);
		cr_expect_str_eq(t.p.why, errors[i].why);
		talk_end(&t);
	}
}

Test(program, is_not_heard_where_it_makes_no_sense)
{
	static const char *const rubbish[] = {
		"",         "\n",   "ready now", "readyx", "errors", "how", "how ", "how a b", "how 0123456789abcdef",
		"how \xff", "take", "READY",
	};
	struct talk t;

	talk_begin(&t);
	strcpy(t.p.how, "before");
	for (size_t i = 1; i < sizeof(rubbish) / sizeof(*rubbish); i++)
		say(&t, rubbish[i]);
	cr_expect_not(t.p.ready || t.p.handed || t.p.err);
	cr_expect_str_eq(t.p.how, "before");
	say(&t, "");
	cr_expect_geq(program_words(&t.p), 0, "an empty message is not the end");
	say(&t, "ready");
	cr_expect(t.p.ready);
	cr_assert_eq(send(t.words, "", 0, 0), 0);
	cr_assert_eq(send(t.words, "error x", 7, 0), 7);
	cr_assert_eq(shutdown(t.words, SHUT_WR), 0);
	program_listen_words(&t.p);
	cr_expect_eq(t.p.err, -EIO);
	cr_expect_eq(program_words(&t.p), -1, "that is the end");
	cr_expect_geq(t.p.words, 0);
	talk_end(&t);
}

Test(program, is_heard_in_parts_of_a_thousand_bytes)
{
	char text[4000];
	struct talk t;

	talk_begin(&t);
	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 7, "\nready", 7);
	say(&t, text);
	cr_expect_not(t.p.ready, "what is beyond is cut");
	for (int i = 0; i < 15; i++)
		cr_assert_gt(send(t.words, "x", 1, 0), 0);
	say(&t, "ready");
	cr_expect(t.p.ready);
	talk_end(&t);
}

Test(program, hands_over_one_descriptor_before_it_is_ready)
{
	int pipe_fds[2];
	struct talk t;

	talk_begin(&t);
	cr_assert_eq(pipe(pipe_fds), 0);
	hand(&t, "how mine\ntake\nready", &pipe_fds[1], 1);
	close(pipe_fds[1]);
	cr_expect(t.p.handed);
	cr_expect_eq(write(t.p.data, "x", 1), 1);
	cr_expect(t.p.ready);
	cr_expect_not(t.p.breached);
	say(&t, "how else");
	cr_expect_str_eq(t.p.how, "else");
	close(pipe_fds[0]);
	talk_end(&t);
}

/* The end of a socketpair that it passes stays open until it is gone, whatever it does. */
Test(program, that_passes_what_it_may_not_is_not_heard_any_more)
{
	static const struct {
		const char *words;
		size_t count;
		bool moves, too;
		int err;
	} breaches[] = {
		{ "x", 1, false, false, -EPROTO },      { "", 1, false, false, -EPROTO },
		{ "x", 253, false, false, -EPROTO },    { "take", 2, false, false, -EPROTO },
		{ "take", 253, false, false, -EPROTO }, { "ready\ntake", 1, false, false, -EPROTO },
		{ "take", 1, true, false, -EPROTO },    { "take", 1, false, true, -EIO },
	};

	for (size_t i = 0; i < sizeof(breaches) / sizeof(*breaches); i++) {
		int pair[2], fds[253];
		struct talk t;

		talk_begin(&t);
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		for (size_t k = 0; k < sizeof(fds) / sizeof(*fds); k++)
			fds[k] = pair[1];
		if (breaches[i].moves)
			say(&t, "ready");
		if (breaches[i].too) {
			say(&t, "error its own");
			say(&t, "listening\nready");
		}
		hand(&t, breaches[i].words, fds, breaches[i].count);
		close(pair[1]);
		cr_expect(t.p.breached, "breach %zu", i);
		cr_expect_eq(t.p.err, breaches[i].err, "breach %zu: %d", i, t.p.err);
		cr_expect_eq(program_words(&t.p), -1);
		cr_expect_eq(program_complaints(&t.p), -1);
		cr_expect_not(t.p.handed);
		say(&t, "how later");
		cr_expect_str_neq(t.p.how, "later");
		cr_expect_eq(recv(pair[0], fds, 1, MSG_DONTWAIT), -1);
		cr_expect_eq(errno, EAGAIN, "breach %zu: closed by who listens", i);
		cr_expect_eq(deferred_close_all(), 0, "breach %zu", i);
		close(pair[0]);
		talk_end(&t);
	}
}

Test(program, cannot_pass_what_there_is_no_room_for)
{
	struct rlimit before, none;
	int fd = STDIN_FILENO;
	struct talk t;

	talk_begin(&t);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 3, before.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	hand(&t, "take", &fd, 1);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	cr_expect_not(t.p.handed);
	cr_expect_eq(t.p.err, -EMFILE);
	talk_end(&t);
}

static sem_t hang;

static void finish_when_told(void *state)
{
	while (sem_wait(&hang) < 0)
		;
}

/* As much as a user has of closings that do not end, he passes no more. */
Test(program, hands_nothing_over_beside_64_closings)
{
	int fd = STDIN_FILENO;
	struct talk t;

	talk_begin(&t);
	sem_init(&hang, 0, 0);
	for (int i = 0; i < 64; i++)
		deferred_close_by(finish_when_told, NULL, 0);
	hand(&t, "take", &fd, 1);
	cr_expect_not(t.p.handed);
	cr_expect_eq(t.p.err, -EUSERS);
	for (int i = 0; i < 64; i++)
		sem_post(&hang);
	talk_end(&t);
}

Test(program, complains_and_the_last_line_counts)
{
	struct talk t;

	talk_begin(&t);
	complain(&t, "first\nsec");
	cr_expect_str_eq(t.p.complaint, "first");
	complain(&t, "ond\n\n\n");
	cr_expect_str_eq(t.p.complaint, "second");
	complain(&t, "third");
	shutdown(t.errors, SHUT_WR);
	program_listen_complaints(&t.p);
	cr_expect_str_eq(t.p.complaint, "third", "without an end of its line");
	cr_expect_eq(program_complaints(&t.p), -1);
	talk_end(&t);
}

/* As above; what is urgent (MSG_OOB) too, and behind what is not. */
Test(program, that_passes_something_with_a_complaint_is_not_heard_any_more)
{
	for (int i = 0; i < 4; i++) {
		int pair[2];
		char c;
		struct talk t;

		talk_begin(&t);
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		complain(&t, "first\n");
		if (i & 1)
			cr_assert_eq(send(t.errors, "before\n", 7, 0), 7);
		pass(t.errors, "x", &pair[1], 1, i & 2 ? MSG_OOB : 0);
		close(pair[1]);
		complain(&t, "later\nstill\n");
		program_listen_complaints(&t.p);
		cr_expect(t.p.breached, "%d", i);
		cr_expect_eq(t.p.err, -EPROTO);
		cr_expect_eq(program_complaints(&t.p), -1);
		cr_expect_eq(recv(pair[0], &c, 1, MSG_DONTWAIT), -1);
		cr_expect_eq(errno, EAGAIN, "%d: closed by who listens", i);
		close(pair[0]);
		talk_end(&t);
	}
}
