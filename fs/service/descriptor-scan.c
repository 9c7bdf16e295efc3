#include "descriptor-scan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "access.h"
#include "base.h"
#include "log.h"
#include "server.h"

/* One descriptor below the mount point. */
struct sighting {
	pid_t pid;
	int fd;
	int flags;
	uint64_t node; /* once it is known; 0: none */
	bool foreign;  /* reads a teed origin */
	char *path;
};

struct sightings {
	struct sighting *all;
	size_t count;
	size_t room;
};

struct descriptor_scan {
	struct server *server;
	struct job job;
	bool running;
	bool blind;
	bool next_blind; /* the helper's while running, as @next */
	uint64_t finished; /* when, in nanoseconds; 0: never */
	struct sightings seen; /* by node */
	struct sightings next; /* the helper's while running */
	TAILQ_HEAD(, descriptor_scan_waiter) waiters;

	atomic_bool asked;
	struct loop_task task;
	struct loop_io timer;
};

static uint64_t now_nsec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void sightings_clear(struct sightings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->all[i].path);
	free(list->all);
	*list = (struct sightings){ 0 };
}

/* ---- on the helper ---- */

static void sighted(struct sightings *list, pid_t pid, int fd, int flags, const char *path)
{
	struct sighting *s;

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;

		s = realloc(list->all, room * sizeof(*s));
		if (!s)
			return;
		list->all = s;
		list->room = room;
	}
	s = &list->all[list->count];
	*s = (struct sighting){ .pid = pid, .fd = fd, .flags = flags, .path = strdup(path) };
	if (s->path)
		list->count++;
}

/* The open flags of a descriptor, or O_PATH where they cannot be read. */
static int open_flags(int proc, pid_t pid, const char *fd)
{
	char name[sizeof("/fdinfo/") + 16 + NAME_MAX], text[128];
	_cleanup_fd_ int file = -1;
	const char *flags;
	ssize_t n;

	snprintf(name, sizeof(name), "%d/fdinfo/%s", pid, fd);
	file = openat(proc, name, O_RDONLY | O_CLOEXEC);
	n = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	if (n < 0)
		return O_PATH;
	text[n] = '\0';
	flags = strstr(text, "flags:");
	return flags ? (int)strtol(flags + strlen("flags:"), NULL, 8) : O_PATH;
}

static void look_into(struct descriptor_scan *sv, int proc, pid_t pid)
{
	const char *mountpoint = sv->server->mountpoint;
	size_t len = strlen(mountpoint);
	char name[64], path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int fd;

	snprintf(name, sizeof(name), "%d/fd", pid);
	fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		struct stat st;

		if (errno == EACCES && fstatat(proc, name, &st, 0) == 0 && st.st_uid == geteuid())
			sv->next_blind = true;
		return;
	}
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		ssize_t n = readlinkat(fd, entry->d_name, path, sizeof(path) - 1);
		int flags;

		/* (the owner may list the folder even where ptrace_may_access() says no) */
		if (n < 0 && errno == EACCES)
			sv->next_blind = true;
		if (n <= (ssize_t)len || strncmp(path, mountpoint, len) || path[len] != '/')
			continue;
		path[n] = '\0';
		flags = open_flags(proc, pid, entry->d_name);
		if (!(flags & O_PATH))
			sighted(&sv->next, pid, atoi(entry->d_name), flags, path + len + 1);
	}
	closedir(dir);
}

static void work_scan(struct job *job)
{
	struct descriptor_scan *sv = container_of(job, struct descriptor_scan, job);
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	sv->next_blind = !proc;
	if (!proc)
		return;
	while ((entry = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid > 0 && pid != getpid())
			look_into(sv, dirfd(proc), pid);
	}
	closedir(proc);
}

/* ---- on the FUSE thread ---- */

static void tell_foreign(const struct descriptor_scan *sv, const struct sightings *before, struct sighting *s,
			 const struct node *node)
{
	_cleanup_free_ char *path = NULL;

	s->foreign = true;
	for (size_t i = 0; i < before->count; i++)
		if (before->all[i].foreign && before->all[i].pid == s->pid && before->all[i].node == s->node)
			return;
	path = node_path(node);
	log_warn("%s: process %d can read the origin beside its taps: what it reads, they miss",
		 path ? path : "?", s->pid);
}

/* They are counted for one node after the other, of which there may be many. */
static int by_node(const void *a, const void *b)
{
	uint64_t left = ((const struct sighting *)a)->node, right = ((const struct sighting *)b)->node;

	return (left > right) - (left < right);
}

static void run(struct descriptor_scan *sv);

/* Who waits for this scan is told; who waits for a later one goes on. */
static void tell_waiters(struct descriptor_scan *sv)
{
	TAILQ_HEAD(, descriptor_scan_waiter) ready = TAILQ_HEAD_INITIALIZER(ready);
	struct descriptor_scan_waiter *w, *next;

	for (w = TAILQ_FIRST(&sv->waiters); w; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (w->early) {
			w->early = false;
			continue;
		}
		TAILQ_REMOVE(&sv->waiters, w, entry);
		TAILQ_INSERT_TAIL(&ready, w, entry);
	}
	if (!TAILQ_EMPTY(&sv->waiters))
		run(sv);
	while ((w = TAILQ_FIRST(&ready))) {
		TAILQ_REMOVE(&ready, w, entry);
		w->done(w);
	}
}

static void finish_scan(struct job *job)
{
	struct descriptor_scan *sv = container_of(job, struct descriptor_scan, job);
	struct sightings before = sv->seen;

	sv->seen = sv->next;
	sv->blind = sv->next_blind;
	sv->next = (struct sightings){ 0 };
	sv->running = false;
	sv->finished = now_nsec();
	for (size_t i = 0; i < sv->seen.count; i++) {
		struct sighting *s = &sv->seen.all[i];
		struct node *node = access_find(sv->server->nodes.root, s->path);

		if (!node || node->kind != NODE_FIFO)
			continue;
		s->node = node->id;
		if (!node_is_tap(node) && node->inode->taps && (s->flags & O_ACCMODE) != O_WRONLY)
			tell_foreign(sv, &before, s, node);
	}
	sightings_clear(&before);
	if (sv->seen.count)
		qsort(sv->seen.all, sv->seen.count, sizeof(sv->seen.all[0]), by_node);
	tell_waiters(sv);
}

static void run(struct descriptor_scan *sv)
{
	if (sv->running)
		return;
	sv->running = true;
	job_post(sv->server, sv->server->helper, &sv->job, work_scan, finish_scan);
}

void descriptor_scan_want(struct descriptor_scan *sv, struct descriptor_scan_waiter *w)
{
	if (!w->anew && !sv->running && sv->finished && now_nsec() - sv->finished < DESCRIPTOR_SCAN_FRESH_NSEC) {
		w->done(w);
		return;
	}
	w->early = w->anew && sv->running;
	TAILQ_INSERT_TAIL(&sv->waiters, w, entry);
	run(sv);
}

bool descriptor_scan_count(const struct descriptor_scan *sv, const struct node *node, struct descriptor_scan_count *count)
{
	size_t low = 0, high = sv->seen.count;

	*count = (struct descriptor_scan_count){ 0 };
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sv->seen.all[middle].node < node->id)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < sv->seen.count && sv->seen.all[low].node == node->id; low++) {
		const struct sighting *s = &sv->seen.all[low];

		count->readers += (s->flags & O_ACCMODE) != O_WRONLY;
		count->writers += (s->flags & O_ACCMODE) != O_RDONLY;
	}
	return !sv->blind;
}

size_t descriptor_scan_holders(const struct descriptor_scan *sv, const struct node *node, struct descriptor_scan_holder *list, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < sv->seen.count && n < max; i++)
		if (sv->seen.all[i].node == node->id)
			list[n++] = (struct descriptor_scan_holder){ .pid = sv->seen.all[i].pid, .fd = sv->seen.all[i].fd };
	return n;
}

static void timer_ready(struct loop_io *io, int res)
{
	struct descriptor_scan *sv = container_of(io, struct descriptor_scan, timer);

	atomic_store(&sv->asked, false);
	run(sv);
}

static void asked(struct loop_task *task)
{
	struct descriptor_scan *sv = container_of(task, struct descriptor_scan, task);
	uint64_t since = now_nsec() - sv->finished;

	if (sv->finished && since < DESCRIPTOR_SCAN_PAUSE_NSEC)
		loop_io_timer(&sv->timer, DESCRIPTOR_SCAN_PAUSE_NSEC - since);
	else
		timer_ready(&sv->timer, 0);
}

void descriptor_scan_origin_opened(void *server)
{
	struct descriptor_scan *sv = ((struct server *)server)->scan;

	if (!atomic_exchange(&sv->asked, true))
		loop_post(sv->server->loop, &sv->task);
}

int descriptor_scan_create(struct descriptor_scan **out, struct server *s)
{
	struct descriptor_scan *sv = calloc(1, sizeof(*sv));

	if (!sv)
		return -ENOMEM;
	sv->server = s;
	sv->task.run = asked;
	TAILQ_INIT(&sv->waiters);
	loop_io_init(&sv->timer, s->loop, timer_ready);
	*out = sv;
	return 0;
}

void descriptor_scan_destroy(struct descriptor_scan *sv)
{
	if (!sv)
		return;
	sightings_clear(&sv->seen);
	sightings_clear(&sv->next);
	free(sv);
}
