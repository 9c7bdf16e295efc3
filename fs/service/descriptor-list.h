/* Descriptors of other processes below the mount point, as /proc/PID/fd shows them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct descriptor {
	pid_t pid;
	int fd;
	int flags;     /* as for open(2) */
	uint64_t node; /* the reader's: once it is known; 0: none */
	bool foreign;  /* the same: reads a teed origin */
	char *path;    /* below the mount point, without a slash at its beginning; the reader may take it */
};

/* Zero-valid. */
struct descriptor_list {
	struct descriptor *all;
	size_t count;
	size_t room;
};

/*
 * Reads the descriptors of every process but this one that are open below @mountpoint, those with O_PATH left out, in the
 * order of paths, and of the same path in that of processes. Takes its time. Returns false where it may not look into processes of its own user. Out of memory, some are missing.
 */
bool descriptor_list_read(struct descriptor_list *list, const char *mountpoint);

/* Frees them, and leaves it zero. */
void descriptor_list_clear(struct descriptor_list *list);
