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

/* Returns false where the process may not be looked into although it is the daemon's own user's. */
static bool descriptor_list_read_process(struct descriptor_list *list, const char *mountpoint, int proc, pid_t pid)
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

		return errno != EACCES || fstatat(proc, name, &st, 0) < 0 || st.st_uid != geteuid();
	}
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return true;
	}
	while ((entry = readdir(dir))) {
		ssize_t n = readlinkat(fd, entry->d_name, path, sizeof(path) - 1);
		int flags;

		if (n <= (ssize_t)len || strncmp(path, mountpoint, len) || path[len] != '/')
			continue;
		path[n] = '\0';
		flags = descriptor_flags(proc, pid, entry->d_name);
		if (!(flags & O_PATH))
			descriptor_list_add(list, pid, atoi(entry->d_name), flags, path + len + 1);
	}
	closedir(dir);
	return true;
}

bool descriptor_list_read(struct descriptor_list *list, const char *mountpoint)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool all = true;

	if (!proc)
		return false;
	while ((entry = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid > 0 && pid != getpid())
			all &= descriptor_list_read_process(list, mountpoint, dirfd(proc), pid);
	}
	closedir(proc);
	return all;
}

void descriptor_list_clear(struct descriptor_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->all[i].path);
	free(list->all);
	*list = (struct descriptor_list){ 0 };
}
