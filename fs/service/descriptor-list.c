#include "descriptor-list.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "descriptor-node.h"

static void descriptor_list_add(struct descriptor_list *list, pid_t pid, int fd, int flags, uint64_t node)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;

		struct descriptor *s = realloc(list->all, room * sizeof(*s));

		if (!s)
			return;
		list->all = s;
		list->room = room;
	}
	list->all[list->count++] = (struct descriptor){ .pid = pid, .fd = fd, .flags = flags, .node = node };
}

/* The open flags of a descriptor, or O_PATH where they cannot be read. */
static int descriptor_flags(int proc, pid_t pid, const char *fd)
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

/* What there was to look at, and may not be, of processes of the daemon's own user. */
struct descriptor_sight {
	bool seen;
	bool refused;
	bool told;   /* which node something is */
	bool untold; /* the same: by the kernel, or because somebody changed what was looked at */
};

/* The text of the link, which costs little, is only what is looked at first. */
static bool descriptor_is_below(const char *mountpoint, int dir, const char *name, struct descriptor_sight *sight)
{
	size_t len = strlen(mountpoint);
	char path[PATH_MAX];
	ssize_t n = readlinkat(dir, name, path, sizeof(path));

	sight->seen |= n >= 0;
	sight->refused |= n < 0 && errno == EACCES; /* who owns the folder may list it all the same */
	return n > (ssize_t)len && !strncmp(path, mountpoint, len) && path[len] == '/';
}

/* What is read, and of what, through all of it. */
struct descriptor_search {
	struct descriptor_list *list;
	const char *mountpoint;
	dev_t dev;
	int proc; /* the folder /proc */
	struct descriptor_sight sight;
};

static void descriptor_list_read_process(struct descriptor_search *s, pid_t pid)
{
	char name[64];
	struct dirent *entry;
	DIR *dir;
	int fd;

	snprintf(name, sizeof(name), "%d/fd", pid);
	fd = openat(s->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		struct stat st;

		s->sight.refused |= errno == EACCES && fstatat(s->proc, name, &st, 0) == 0 && st.st_uid == geteuid();
		return;
	}
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		uint64_t node;
		int flags, err;

		if (!descriptor_is_below(s->mountpoint, fd, entry->d_name, &s->sight))
			continue;
		err = descriptor_node(fd, entry->d_name, s->dev, &node);
		s->sight.told |= err == 0;
		s->sight.untold |= err == -ENOTSUP;
		flags = err < 0 ? O_PATH : descriptor_flags(s->proc, pid, entry->d_name);
		if (!(flags & O_PATH))
			descriptor_list_add(s->list, pid, atoi(entry->d_name), flags, node);
	}
	closedir(dir);
}

int descriptor_compare(const struct descriptor *a, const struct descriptor *b)
{
	return a->node != b->node ? (a->node > b->node) - (a->node < b->node) : (a->pid > b->pid) - (a->pid < b->pid);
}

static int descriptor_order(const void *a, const void *b)
{
	return descriptor_compare(a, b);
}

size_t descriptor_list_find(const struct descriptor_list *list, uint64_t node, pid_t pid)
{
	const struct descriptor sought = { .node = node, .pid = pid };
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (descriptor_compare(&list->all[middle], &sought) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * One that may be more than the daemon, as the first process of a machine, is nobody's reader: all have to be refused. Nor does
 * it mean anything that one was not told.
 */
bool descriptor_list_read(struct descriptor_list *list, const char *mountpoint, dev_t dev)
{
	DIR *proc = opendir("/proc");
	struct descriptor_search s = { .list = list, .mountpoint = mountpoint, .dev = dev };
	struct dirent *entry;

	if (!proc)
		return false;
	s.proc = dirfd(proc);
	while ((entry = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid > 0 && pid != getpid())
			descriptor_list_read_process(&s, pid);
	}
	closedir(proc);
	if (list->count)
		qsort(list->all, list->count, sizeof(list->all[0]), descriptor_order);
	return (s.sight.seen || !s.sight.refused) && (s.sight.told || !s.sight.untold);
}

void descriptor_list_clear(struct descriptor_list *list)
{
	free(list->all);
	*list = (struct descriptor_list){ 0 };
}
