/*
 * The mount: made, found in the mount table, seen from inside without pinning it, and taken away.
 *
 * A descriptor opened through the visible mount, O_PATH included, would make umount(8) fail with
 * EBUSY. So the daemon opens its FIFOs through a view of its own: as root a detached copy
 * (open_tree(2)), as a user the copy in a mount namespace of its own. The file system then outlives
 * the visible mount, so the daemon watches the mount table and ends when its mount is gone.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * What a mount is known by. The kernel gives its number to another mount once it has gone, and so it does the device of its
 * file system; but that the daemon holds, so the two together are the mount's own.
 */
struct mount_id {
	int id; /* 0: there is none */
	unsigned major, minor;
};

static inline bool mount_same(const struct mount_id *a, const struct mount_id *b)
{
	return a->id == b->id && a->major == b->major && a->minor == b->minor;
}

struct mount {
	const char *point; /* absolute, without links; not owned */
	int mounts;        /* /proc/self/mountinfo of the user's mount namespace */
	struct mount_id id;
	int tree;      /* the private view: its root folder */
	int spare;     /* given up for the one that unmounting needs, when there may be no other left */
	bool guard;    /* it is to go with a daemon that is killed */
	bool by_child; /* it is taken away by the helper, for a mount through fusermount3 */
	int unmounter; /* tells a helper in the user's mount namespace; -1: there is none */
	pid_t unmounter_pid;
	bool detached; /* no mount any more that a user could see */
};

#define MOUNT_NONE ((struct mount){ .mounts = -1, .tree = -1, .spare = -1, .unmounter = -1 })

/*
 * Looks for a file system of type @type, NULL: of any, mounted at @path (the topmost one): *found, whose id is 0 if there
 * is none. Returns 0 or a negative errno. @mounts: an open /proc/.../mountinfo.
 */
int mount_find(int mounts, const char *path, const char *type, struct mount_id *found);

/* Whether the mount table still has mount @id, as it has where it cannot be read. */
bool mount_exists(int mounts, const struct mount_id *id);

/* Absolute path without links of @path, which may be a dead mount. The caller frees it. */
int mount_resolve(const char *path, char **resolved);

/* Takes away what a killed daemon left at @path. Returns 0 or a negative errno. */
int mount_clean(const char *path);

/*
 * For an ordinary user's mount, and one to be guarded: what takes it away is there before it, for later the user may have no
 * process or descriptor left. Returns 0 or a negative errno.
 */
int mount_prepare(struct mount *m);

/*
 * After an attempt at mounting: what is on top at the mount point and was not @before is ours to take away, also where the
 * attempt failed: fusermount3(1) may have mounted it, and its descriptor could not be taken; or libfuse has tried again
 * without the type, by which nobody would find it. Returns 0, -EIO where no mount of @type is ours, or another negative errno.
 */
int mount_note(struct mount *m, const char *type, const struct mount_id *before);

/* It is mounted: if the daemon dies, its mount goes, where that is wanted. Returns 0 or a negative errno. */
int mount_guard(const struct mount *m);

/*
 * Opens the private view of the mount. No thread may have been started. Where neither way is
 * allowed it opens the visible mount and says so. Returns 0 or a negative errno.
 */
int mount_open_private(struct mount *m);

/* Takes the visible mount away, at once for new users; who has it open keeps what they have. */
void mount_leave(struct mount *m);

/* Lets go of what it has open. */
void mount_finish(struct mount *m);
