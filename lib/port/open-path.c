/*
 * Opening a path may do harm by itself: a channel of the daemon's own mount gets a reader, a file is made in it,
 * a file is emptied. So a path is looked at first, and what was opened in the end is looked at again, in case the
 * path has changed meanwhile; and it is emptied only then.
 *
 * Some paths mean the process that opens them, which is the daemon: its rights are not the caller's to use, its
 * memory and terminal least of all. Those of /proc and /dev/tty are refused, and so is every link to a descriptor
 * (/dev/stdin, /dev/fd/N; RESOLVE_NO_MAGICLINKS of openat2(2)).
 *
 * Of a file system it is known what it is (statfs(2)), so those of the kernel's own words are listed here. A list of what
 * is allowed instead would refuse every file system that is to come, and needs not be: whatever is not listed is read and
 * written with the rights of who attached it (rights_lend()).
 */
#include "open-path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"

#define DEV_TTY makedev(5, 0) /* admin-guide/devices.txt */

/* linux/magic.h has not all of them. */
#define CONFIGFS_MAGIC 0x62656570
#define FUSECTL_SUPER_MAGIC 0x65735543
#define RPC_PIPEFS_MAGIC 0x67596969

static const struct {
	uint32_t magic;
	const char *name;
} kernel_file_systems[] = {
	{ PROC_SUPER_MAGIC, "procfs" },      { SYSFS_MAGIC, "sysfs" },
	{ SECURITYFS_MAGIC, "securityfs" },  { SELINUX_MAGIC, "selinuxfs" },
	{ SMACK_MAGIC, "smackfs" },          { DEBUGFS_MAGIC, "debugfs" },
	{ TRACEFS_MAGIC, "tracefs" },        { BPF_FS_MAGIC, "bpf" },
	{ CGROUP_SUPER_MAGIC, "cgroup" },    { CGROUP2_SUPER_MAGIC, "cgroup2" },
	{ RDTGROUP_SUPER_MAGIC, "resctrl" }, { CONFIGFS_MAGIC, "configfs" },
	{ EFIVARFS_MAGIC, "efivarfs" },      { PSTOREFS_MAGIC, "pstore" },
	{ BINFMTFS_MAGIC, "binfmt_misc" },   { FUSECTL_SUPER_MAGIC, "fusectl" },
	{ RPC_PIPEFS_MAGIC, "rpc_pipefs" },  { XENFS_SUPER_MAGIC, "xenfs" },
};

static int open_check_mount(struct attempt *a, const struct stat *st)
{
	if (!a->mount || st->st_dev != a->mount)
		return 0;
	return uri_refuse(a->why, -EXDEV, "a channel of the same mount cannot be a port");
}

static int open_check_path(struct attempt *a, const char *path)
{
	struct stat st;

	/* What cannot be looked at cannot be opened either, and that will say why. */
	return stat(path, &st) < 0 ? 0 : open_check_mount(a, &st);
}

/* Where a file would be made. */
static int open_check_parent(struct attempt *a)
{
	_cleanup_free_ char *parent = strdup(a->uri.path);

	if (!parent)
		return attempt_failed(a, "open", -ENOMEM);
	strrchr(parent, '/')[1] = '\0';
	return open_check_path(a, parent);
}

int open_check_file_system(struct attempt *a, int fd)
{
	struct statfs fs;
	int err;

	do
		err = fstatfs(fd, &fs);
	while (err < 0 && attempt_again(a));
	if (err < 0 && errno != ENOSYS)
		return uri_refuse(a->why, -errno, strerror(errno));
	for (size_t i = 0; err == 0 && i < sizeof(kernel_file_systems) / sizeof(kernel_file_systems[0]); i++) {
		if ((uint32_t)fs.f_type != kernel_file_systems[i].magic)
			continue;
		uri_why(a->why, "a file of %s answers to who reads or writes it, which is the daemon: use a pipe",
			kernel_file_systems[i].name);
		return -EXDEV;
	}
	return 0;
}

/*
 * Of a file system that hangs, even of this one: statx(2) does not ask it (AT_STATX_DONT_SYNC), and with no field wanted
 * tells the device also of one that root may not look at.
 */
int open_check_passed(struct attempt *a, int fd)
{
	bool source = a->dir == PORT_SOURCE;
	int flags = fcntl(fd, F_GETFL);
	struct statx st;

	if (flags < 0)
		return uri_refuse(a->why, -errno, strerror(errno));
	if (flags & O_PATH)
		return uri_refuse(a->why, -EBADF, "the descriptor is O_PATH, not open");
	if ((flags & O_ACCMODE) == (source ? O_WRONLY : O_RDONLY))
		return uri_refuse(a->why, -EBADF,
				  source ? "the descriptor is not open for reading" :
					   "the descriptor is not open for writing");
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &st) < 0)
		return uri_refuse(a->why, -errno, strerror(errno));
	if (makedev(st.stx_dev_major, st.stx_dev_minor) == a->mount)
		return uri_refuse(a->why, -ELOOP, "the descriptor is of this mount");
	return open_check_file_system(a, fd);
}

static int open_check_opened(struct attempt *a, int fd, struct stat *st)
{
	int err;

	if (fstat(fd, st) < 0)
		return attempt_failed(a, "open", -errno);
	err = open_check_file_system(a, fd);
	if (err < 0)
		return err;
	if (S_ISCHR(st->st_mode) && st->st_rdev == DEV_TTY)
		return uri_refuse(a->why, -EXDEV, "/dev/tty is the daemon's terminal, not yours: pass a descriptor");
	return open_check_mount(a, st);
}

int open_path(struct attempt *a, int flags, mode_t mode, struct stat *st)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC | O_NOCTTY,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_fd_ int fd = -1;
	int err = open_check_path(a, a->uri.path);

	if (err == 0 && (flags & O_CREAT))
		err = open_check_parent(a);
	if (err < 0)
		return err;
	if (attempt_is_abandoned(a)) /* (what comes now may be another file system than the one that hung) */
		return attempt_failed(a, "open", -ECANCELED);
	do
		fd = (int)syscall(SYS_openat2, AT_FDCWD, a->uri.path, &how, sizeof(how));
	while (fd < 0 && attempt_again(a));
	if (fd < 0)
		return attempt_failed(a, errno == ELOOP ? "open (a link to a descriptor of the daemon?)" : "open",
				      -errno);
	err = open_check_opened(a, fd, st);
	return err < 0 ? err : fd_take(&fd);
}
