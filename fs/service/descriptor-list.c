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

static void descriptor_list_add(struct descriptor_list *list, pid_t pid, int fd, int flags, const char *path)
{
	struct descriptor *s;

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;

		s = realloc(list->all, room * sizeof(*s));
		if (!s)
			return;
		list->all = s;
		list->room = room;
	}
	s = &list->all[list->count];
	*s = (struct descriptor){ .pid = pid, .fd = fd, .flags = flags, .path = strdup(path) };
	if (s->path)
		list->count++;
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
};

static void descriptor_list_read_process(struct descriptor_list *list, const char *mountpoint, int proc, pid_t pid,
					 struct descriptor_sight *sight)
{
	size_t len = strlen(mountpoint);
	char name[64], path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int fd;

	snprintf(name, sizeof(name), "%d/fd", pid);
	fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		struct stat st;

		sight->refused |= errno == EACCES && fstatat(proc, name, &st, 0) == 0 && st.st_uid == geteuid();
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

		sight->seen |= n >= 0;
		sight->refused |= n < 0 && errno == EACCES; /* who owns the folder may list it all the same */
		if (n <= (ssize_t)len || strncmp(path, mountpoint, len) || path[len] != '/')
			continue;
		path[n] = '\0';
		flags = descriptor_flags(proc, pid, entry->d_name);
		if (!(flags & O_PATH))
			descriptor_list_add(list, pid, atoi(entry->d_name), flags, path + len + 1);
	}
	closedir(dir);
}

static int descriptor_order(const void *a, const void *b)
{
	const struct descriptor *left = a, *right = b;
	int paths = strcmp(left->path, right->path);

	return paths ? paths : (left->pid > right->pid) - (left->pid < right->pid);
}

/* One that may be more than the daemon, as the first process of a machine, is nobody's reader: all have to be refused. */
bool descriptor_list_read(struct descriptor_list *list, const char *mountpoint)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	struct descriptor_sight sight = { 0 };

	if (!proc)
		return false;
	while ((entry = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid > 0 && pid != getpid())
			descriptor_list_read_process(list, mountpoint, dirfd(proc), pid, &sight);
	}
	closedir(proc);
	if (list->count)
		qsort(list->all, list->count, sizeof(list->all[0]), descriptor_order);
	return sight.seen || !sight.refused;
}

void descriptor_list_clear(struct descriptor_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->all[i].path);
	free(list->all);
	*list = (struct descriptor_list){ 0 };
}
