/*
 * Which node of the mount a descriptor is open on, of whoever's. The text of a link in /proc/PID/fd says nothing of that: in a
 * mount namespace of his own anybody can have whatever he likes at that path. Nor do device and inode number say which of a
 * channel's names it is, each of which has a FIFO of its own.
 *
 * No file system is asked, and none is told, so nobody is waited for. Any thread.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * Of descriptor @name in the folder @dir, a /proc/PID/fd, or of the path @name: its node of the mount @dev. Returns 0, -EXDEV
 * (it is of another file system), -ENOTSUP (the kernel does not tell, or it is changed just now), or a negative errno of statx(2).
 */
int descriptor_node(int dir, const char *name, dev_t dev, uint64_t *node);

/* The same of a descriptor of the daemon's own. */
int descriptor_node_own(int fd, dev_t dev, uint64_t *node);
