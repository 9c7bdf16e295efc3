/* Descriptors of other processes that are of the mount, as far as /proc tells. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct descriptor {
	pid_t pid;
	int fd;
	int flags;     /* as for open(2) */
	uint64_t node; /* its number */
	bool foreign;  /* the reader's: reads a teed origin */
};

/* Zero-valid. */
struct descriptor_list {
	struct descriptor *all;
	size_t count;
	size_t room;
};

/*
 * Reads the descriptors of every process but this one whose path is below @mountpoint, in whichever mount namespace, and that
 * are of the mount @dev, those with O_PATH left out, in the order of descriptor_compare(). Takes its time, but waits for nobody.
 * Returns false where it may not look into processes of its own user, or the kernel does not tell what is open. Out of memory,
 * some are missing.
 */
bool descriptor_list_read(struct descriptor_list *list, const char *mountpoint, dev_t dev);

/* By nodes, and of the same node by processes. */
int descriptor_compare(const struct descriptor *a, const struct descriptor *b);

/* The place of the first that is not before @node and @pid; the list's count: there is none. */
size_t descriptor_list_find(const struct descriptor_list *list, uint64_t node, pid_t pid);

/* Frees them, and leaves it zero. */
void descriptor_list_clear(struct descriptor_list *list);
