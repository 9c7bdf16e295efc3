#include "culprit.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"
#include "text.h"

/* How sure it is. */
enum culprit_rank { CULPRIT_NOT, CULPRIT_CHANNEL, CULPRIT_OPEN, CULPRIT_CALLS, CULPRIT_STUCK };

struct culprit_best {
	enum culprit_rank rank;
	pid_t pid;
	long call;
	unsigned others; /* of the same rank */
};

const char *culprit_call(long number, char buf[32])
{
	static const struct {
		long number;
		const char *name;
	} calls[] = {
		{ SYS_openat, "open()" },           { SYS_read, "read()" },
		{ SYS_write, "write()" },           { SYS_readv, "readv()" },
		{ SYS_writev, "writev()" },         { SYS_close, "close()" },
		{ SYS_splice, "splice()" },         { SYS_tee, "tee()" },
		{ SYS_vmsplice, "vmsplice()" },     { SYS_fcntl, "fcntl()" },
		{ SYS_ioctl, "ioctl()" },           { SYS_sendto, "send()" },
		{ SYS_recvfrom, "recv()" },         { SYS_sendmsg, "sendmsg()" },
		{ SYS_recvmsg, "recvmsg()" },       { SYS_shutdown, "shutdown()" },
		{ SYS_setsockopt, "setsockopt()" }, { SYS_getsockopt, "getsockopt()" },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return calls[i].name;
	snprintf(buf, 32, "system call %ld", number);
	return buf;
}

static bool culprit_read(char *line, size_t size, const char *fmt, pid_t process, pid_t thread)
{
	char name[64];
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/task/%d/%s", process, thread, fmt);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, size - 1);
	line[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

bool culprit_look(pid_t process, pid_t thread, struct culprit_wait *w)
{
	char line[256];

	return culprit_read(line, sizeof(line), "syscall", process, thread) &&
	       sscanf(line, "%ld 0x%lx 0x%lx 0x%lx", &w->call, &w->args[0], &w->args[1], &w->args[2]) == 4;
}

static bool culprit_is_stuck(pid_t process, pid_t thread)
{
	char line[256];
	const char *state;

	if (!culprit_read(line, sizeof(line), "stat", process, thread))
		return false;
	state = strrchr(line, ')');
	return state && state[1] && state[2] == 'D';
}

/* Whether, and how, a thread of the process is in a call on @fd. */
static enum culprit_rank culprit_rank_calls(pid_t pid, int fd, long *call)
{
	enum culprit_rank best = CULPRIT_OPEN;
	struct dirent *entry;
	char name[32];
	DIR *dir;

	snprintf(name, sizeof(name), "/proc/%d/task", pid);
	dir = opendir(name);
	while (dir && best < CULPRIT_STUCK && (entry = readdir(dir))) {
		pid_t thread = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
		struct culprit_wait w;

		if (!thread || !culprit_look(pid, thread, &w) || w.call < 0 || w.call == SYS_openat)
			continue;
		if (w.args[0] != (unsigned long)fd && (w.call != SYS_splice || w.args[2] != (unsigned long)fd))
			continue;
		best = culprit_is_stuck(pid, thread) ? CULPRIT_STUCK : CULPRIT_CALLS;
		*call = w.call;
	}
	if (dir)
		closedir(dir);
	return best;
}

/* Whether descriptor @name of the folder @dir is one of the things. Nothing is asked of its file system. */
static enum culprit_rank culprit_rank_of(const struct culprit_search *s, int dir, const char *name)
{
	enum culprit_rank rank = CULPRIT_NOT;
	char link[PATH_MAX];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);
	struct statx st = { 0 };

	if (n <= 0)
		return rank;
	link[n] = '\0';
	for (int i = 0; i < CULPRIT_THINGS; i++) {
		const struct culprit_thing *t = &s->things[i];

		if (t->link[0] && !strcmp(t->link, link))
			rank = CULPRIT_OPEN;
		if (!t->ino || link[0] != '/')
			continue;
		if (!strcmp(t->path, link))
			rank = CULPRIT_OPEN;
		else if (rank == CULPRIT_NOT && statx(dir, name, AT_STATX_DONT_SYNC, STATX_INO, &st) == 0 &&
			 st.stx_ino == t->ino && makedev(st.stx_dev_major, st.stx_dev_minor) == t->dev)
			rank = CULPRIT_CHANNEL;
	}
	return rank;
}

static void culprit_add(struct culprit_best *best, enum culprit_rank rank, pid_t pid, long call)
{
	if (rank < best->rank || rank == CULPRIT_NOT)
		return;
	if (rank == best->rank && best->pid != pid)
		best->others++;
	else if (rank > best->rank)
		*best = (struct culprit_best){ rank, pid, call, 0 };
}

static void culprit_look_into(const struct culprit_search *s, struct culprit_best *best, pid_t pid)
{
	struct dirent *entry;
	char name[32];
	DIR *dir;

	snprintf(name, sizeof(name), "/proc/%d/fd", pid);
	dir = opendir(name);
	while (dir && (entry = readdir(dir))) {
		enum culprit_rank rank = culprit_rank_of(s, dirfd(dir), entry->d_name);
		long call = -1;

		if (rank >= CULPRIT_CHANNEL) {
			enum culprit_rank calls = culprit_rank_calls(pid, atoi(entry->d_name), &call);

			rank = calls > CULPRIT_OPEN ? calls : rank;
		}
		culprit_add(best, rank, pid, call);
	}
	if (dir)
		closedir(dir);
}

static void culprit_say(struct culprit_search *s, const struct culprit_best *best)
{
	char comm[32] = "?", buf[32], name[32], others[32] = "";
	struct stat st = { 0 };

	snprintf(name, sizeof(name), "/proc/%d", best->pid);
	if (stat(name, &st) < 0)
		return; /* it has gone */
	culprit_read(comm, sizeof(comm), "comm", best->pid, best->pid);
	comm[strcspn(comm, "\n")] = '\0';
	text_clean(comm);
	if (best->others)
		snprintf(others, sizeof(others), ", and %u more", best->others);
	if (best->rank >= CULPRIT_CALLS)
		snprintf(s->words, sizeof(s->words), "process %d (%s) of user %u is in %s on it%s", best->pid, comm,
			 st.st_uid, culprit_call(best->call, buf), others);
	else
		snprintf(s->words, sizeof(s->words), "process %d (%s) of user %u has it open%s", best->pid, comm,
			 st.st_uid, others);
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
