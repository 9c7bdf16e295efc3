/*
 * Who has a pipe open may be as innocent as the daemon, and wait for the same. A pipe's lock is let go of by whoever waits for
 * the pipe, so who holds it is in a call on it and waits for something else: for memory, or for what it is spliced with. Of
 * somebody else's call only the descriptor's number can be told: whose descriptor has been closed meanwhile is not found.
 */
#include "culprit.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "culprit-call.h"
#include "descriptor-node.h"
#include "process.h"
#include "text.h"

/* How sure it is. A ring (io_uring) does not tell which of the descriptors it is at. */
enum culprit_rank { CULPRIT_NOT, CULPRIT_MAY, CULPRIT_SURE };

struct culprit_best {
	enum culprit_rank rank;
	pid_t pid;
	long call;
	unsigned others; /* of the same rank */
};

/* Whether descriptor @name of the folder @dir is one of the things. Nothing is asked of its file system. */
static bool culprit_is_thing(const struct culprit_search *s, int dir, const char *name)
{
	char link[PATH_MAX];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);
	uint64_t node;

	link[n < 0 ? 0 : n] = '\0';
	for (int i = 0; i < CULPRIT_THINGS; i++) {
		const struct culprit_thing *t = &s->things[i];

		if (t->link[0] && !strcmp(t->link, link))
			return true;
		if (t->node && link[0] == '/' && descriptor_node(dir, name, t->dev, &node) == 0 && node == t->node)
			return true;
	}
	return false;
}

static bool culprit_is_on(const struct culprit_search *s, int dir, const struct culprit_wait *w)
{
	int fds[CULPRIT_DESCRIPTORS];
	char name[16];

	culprit_descriptors(w, fds);
	for (int i = 0; i < CULPRIT_DESCRIPTORS && fds[i] >= 0; i++) {
		snprintf(name, sizeof(name), "%d", fds[i]);
		if (culprit_is_thing(s, dir, name))
			return true;
	}
	return false;
}

static bool culprit_has_any(const struct culprit_search *s, DIR *dir)
{
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (culprit_is_thing(s, dirfd(dir), entry->d_name))
			return true;
	return false;
}

static enum culprit_rank culprit_rank_of(const struct culprit_search *s, pid_t pid, pid_t thread,
					 const struct culprit_wait *w)
{
	enum culprit_rank rank = CULPRIT_NOT;
	char name[48];
	DIR *dir;

	snprintf(name, sizeof(name), "/proc/%d/task/%d/fd", pid, thread);
	dir = opendir(name);
	if (!dir)
		return rank;
	if (!culprit_is_for_any(w))
		rank = culprit_is_on(s, dirfd(dir), w) ? CULPRIT_SURE : CULPRIT_NOT;
	else if (culprit_has_any(s, dir))
		rank = CULPRIT_MAY;
	closedir(dir);
	return rank;
}

static void culprit_look_at(const struct culprit_search *s, struct culprit_best *one, pid_t thread)
{
	struct culprit_wait w, again;
	int fds[CULPRIT_DESCRIPTORS];
	enum culprit_rank rank;

	if (!culprit_look(one->pid, thread, &w))
		return;
	culprit_descriptors(&w, fds);
	if ((fds[0] < 0 && !culprit_is_for_any(&w)) || !culprit_waits_elsewhere(one->pid, thread))
		return;
	rank = culprit_rank_of(s, one->pid, thread, &w);
	if (rank <= one->rank || !culprit_look(one->pid, thread, &again) || memcmp(&w, &again, sizeof(w)) != 0)
		return; /* or it has gone on, perhaps to what it waits in */
	one->rank = rank;
	one->call = w.call;
}

static void culprit_add(struct culprit_best *best, const struct culprit_best *one)
{
	if (one->rank > best->rank)
		*best = *one;
	else if (one->rank == best->rank && one->rank != CULPRIT_NOT)
		best->others++;
}

static void culprit_look_into(const struct culprit_search *s, struct culprit_best *best, pid_t pid)
{
	struct culprit_best one = { .pid = pid };
	struct dirent *entry;
	char name[32];
	DIR *dir;

	snprintf(name, sizeof(name), "/proc/%d/task", pid);
	dir = opendir(name);
	while (dir && one.rank < CULPRIT_SURE && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			culprit_look_at(s, &one, atoi(entry->d_name));
	if (dir)
		closedir(dir);
	culprit_add(best, &one);
}

static void culprit_say(struct culprit_search *s, const struct culprit_best *best)
{
	char comm[32] = "", buf[32], others[32] = "";
	uid_t user = process_user(best->pid);

	if (user == PROCESS_NOBODY)
		return; /* it has gone */
	process_name(best->pid, comm, sizeof(comm));
	text_clean(comm);
	if (best->others)
		snprintf(others, sizeof(others), ", and %u more", best->others);
	if (best->rank == CULPRIT_SURE)
		snprintf(s->words, sizeof(s->words), "process %d (%s) of user %u is in %s on it%s", best->pid, comm,
			 user, culprit_call(best->call, buf), others);
	else
		snprintf(s->words, sizeof(s->words), "perhaps process %d (%s) of user %u, by a ring of its own%s",
			 best->pid, comm, user, others);
}

void culprit_find(struct culprit_search *s)
{
	struct culprit_best best = { 0 };
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid > 0 && pid != getpid())
			culprit_look_into(s, &best, pid);
	}
	if (proc)
		closedir(proc);
	if (best.rank != CULPRIT_NOT)
		culprit_say(s, &best);
}
