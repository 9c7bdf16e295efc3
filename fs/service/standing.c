/*
 * The kernel says which system call a thread waits in, and with what (proc_pid_syscall(5)): so the workers, on their way
 * through thousands of calls, keep no book of them. Of an open(2) the name has to be read from the worker's stack, by a
 * call that fails where there is no such memory any more; whatever is found out holds only if it is in the same turn still.
 */
#include "standing.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base.h"
#include "channel.h"
#include "clock.h"
#include "culprit-call.h"
#include "culprit.h"
#include "engine.h"
#include "errand.h"
#include "fifo.h"
#include "log.h"
#include "watchdog.h"

/* The culprit is looked for so long. */
#define SEARCH_NSEC 2000000000u

/* A search, with what it was begun for. */
struct standing_search {
	struct errand errand;
	struct context *ctx;
	struct worker *worker; /* only followed while it is there */
	unsigned long turn;
	struct culprit_search search;
};

/* Bytes of what a worker is called. */
#define NAME_SIZE 64

static const char *standing_name(const struct worker *w, char name[NAME_SIZE])
{
	static const char *const channels[] = {
		[WORKER_CLOSED] = "",
		[WORKER_HIDDEN] = " for channels that others cannot reach",
		[WORKER_OPEN] = " for channels open to others",
	};

	if (w->shared)
		snprintf(name, NAME_SIZE, "shared worker %u", w->uid);
	else
		snprintf(name, NAME_SIZE, "user %u's worker%s", w->uid, channels[w->reach]);
	return name;
}

/* Whose line of the log it is; of a shared one nobody knows. */
static uid_t standing_user(const struct worker *w)
{
	return w->shared ? LOG_SOMEBODY : w->uid;
}

/* ---- what it stands in ---- */

/* The number in the name of a FIFO that the worker opens. 0: it is none. */
static uint64_t standing_number(const char *name)
{
	const char *last = strrchr(name, '/');
	char *end;
	uint64_t id = strtoull(last ? last + 1 : name, &end, 16);

	return *end || end - (last ? last + 1 : name) != FIFO_NAME_MAX - 1 ? 0 : id;
}

static void standing_look_at_fd(int fd, char link[PATH_MAX])
{
	char name[40];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, link, PATH_MAX - 1);
	link[n < 0 ? 0 : n] = '\0';
}

static void standing_look_at_name(unsigned long address, char link[PATH_MAX])
{
	struct iovec from = { (void *)address, FIFO_NAME_MAX }, to = { link, FIFO_NAME_MAX };

	if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != FIFO_NAME_MAX)
		link[0] = '\0';
	link[FIFO_NAME_MAX] = '\0';
}

/* Returns what it is, in words, which the caller frees; NULL: nothing that a user could have. */
static char *standing_thing(struct context *ctx, const char *link, struct culprit_thing *t)
{
	uint64_t id = standing_number(link);
	const struct node *node = id ? node_get(&ctx->nodes, id) : NULL;

	if (!node) {
		if (strncmp(link, "pipe:", 5) && strncmp(link, "socket:", 7))
			return NULL;
		if (link[0] == 'p') /* (the lock of a socket that others have is a lane's to wait for) */
			snprintf(t->link, sizeof(t->link), "%.*s", (int)sizeof(t->link) - 1, link);
		return strdup(link);
	}
	t->dev = ctx->dev;
	t->node = id;
	node = node_name(node);
	return node->parent ? node_path(node) : strdup("a name that has gone");
}

/* Of a worker that stands: in which call, and on what. */
static void standing_look(struct context *ctx, struct worker *w, struct culprit_thing things[CULPRIT_THINGS],
			  char *words, size_t size)
{
	_cleanup_free_ char *first = NULL;
	_cleanup_free_ char *second = NULL;
	int fds[CULPRIT_DESCRIPTORS];
	char link[PATH_MAX], buf[32];
	struct culprit_wait wait;

	if (!culprit_look(getpid(), loop_thread(w->loop), &wait) || wait.call < 0) {
		snprintf(words, size, "the kernel does not say in what");
		return;
	}
	culprit_descriptors(&wait, fds);
	if (wait.call == SYS_openat)
		standing_look_at_name(wait.args[1], link);
	else
		standing_look_at_fd(fds[0], link);
	first = standing_thing(ctx, link, &things[0]);
	standing_look_at_fd(fds[1], link);
	second = standing_thing(ctx, link, &things[1]);
	snprintf(words, size, "in %s%s%s%s%s", culprit_call(wait.call, buf), first || second ? " on " : "",
		 first ? first : "", first && second ? " and " : "", second ? second : "");
}

/* ---- who does not let go ---- */

static void standing_run(struct errand *e)
{
	culprit_find(&container_of(e, struct standing_search, errand)->search);
}

static void standing_free(struct errand *e)
{
	free(container_of(e, struct standing_search, errand));
}

/* Whether it is about the same, and the worker is there. */
static bool standing_holds(const struct standing_search *s)
{
	struct worker *w = NULL;

	while ((w = engine_next(s->ctx->engine, w)))
		if (w == s->worker)
			return w->stands && loop_turn(w->loop) == s->turn;
	return false;
}

static void standing_found(struct errand *e)
{
	struct standing_search *s = container_of(e, struct standing_search, errand);
	const char *found = e->late ? "" : s->search.words;
	struct worker *w = s->worker;
	char name[NAME_SIZE], *words;

	if (!standing_holds(s))
		return;
	if (asprintf(&words, "%s: %s", w->standing ? w->standing : "", *found ? found : "it is not known who has it") <
	    0)
		return;
	free(w->standing);
	w->standing = words;
	log_user_warn(standing_user(w), "%s stands %s", standing_name(w, name), words);
}

static void standing_begin(struct context *ctx, struct worker *w)
{
	struct standing_search *s = calloc(1, sizeof(*s));
	char words[PATH_MAX], name[NAME_SIZE];

	if (!s)
		return;
	s->errand = (struct errand){ .run = standing_run,
				     .done = standing_found,
				     .free = standing_free,
				     .loop = ctx->loop,
				     .uid = ERRAND_NOBODY };
	s->ctx = ctx;
	s->worker = w;
	s->turn = w->seen_turn;
	standing_look(ctx, w, s->search.things, words, sizeof(words));
	free(w->standing);
	w->standing = strdup(words);
	if (errand_start(&s->errand, SEARCH_NSEC) == 0)
		return;
	log_user_warn(standing_user(w), "%s stands %s", standing_name(w, name), words);
	free(s);
}

void standing_changed(struct context *ctx, struct worker *w)
{
	char name[NAME_SIZE];

	if (w->stands) {
		w->stood = clock_nsec() - (uint64_t)WATCHDOG_STANDS_TICKS * WATCHDOG_TICK_NSEC; /* about */
		standing_begin(ctx, w);
		return;
	}
	log_user_warn(standing_user(w), "%s goes on, after %u s", standing_name(w, name),
		      (unsigned)((clock_nsec() - w->stood) / NSEC_PER_SEC));
	free(w->standing);
	w->standing = NULL;
}

/* ---- who asks ---- */

char *standing_words(const struct hold *hold)
{
	const struct worker *w = hold_channel(hold)->worker;
	char *words;

	return asprintf(&words, "unknown: its worker stands %s", w->standing ? w->standing : "") < 0 ? NULL : words;
}

void standing_log(struct context *ctx)
{
	struct worker *w = NULL;
	char name[NAME_SIZE];

	while ((w = engine_next(ctx->engine, w)))
		if (w->stands)
			log_warn("%s stands %s", standing_name(w, name), w->standing ? w->standing : "");
}
