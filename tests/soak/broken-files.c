/*
 * broken-files MOUNTPOINT: a file system whose files fail after 64 KiB, with EIO: "source" when it is read, "sink" and all
 * whose name begins so when they are written.
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fuse.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define GOOD_BYTES 65536

static bool broken_is_file(const char *path)
{
	return !strcmp(path, "/source") || !strncmp(path, "/sink", 5);
}

static int broken_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	bool root = !strcmp(path, "/");

	if (!root && !broken_is_file(path))
		return -ENOENT;
	*st = (struct stat){ .st_mode = root ? S_IFDIR | 0755 : S_IFREG | 0666, .st_nlink = 1 };
	if (!strcmp(path, "/source"))
		st->st_size = 8 * GOOD_BYTES;
	return 0;
}

static int broken_open(const char *path, struct fuse_file_info *fi)
{
	fi->direct_io = 1; /* or the kernel would take what is written, and fail later */
	return broken_is_file(path) ? 0 : -ENOENT;
}

static int broken_read(const char *path, char *buf, size_t size, off_t offset, struct fuse_file_info *fi)
{
	/* (a short answer would be the end of the file to the kernel) */
	if (offset + (off_t)size > GOOD_BYTES)
		return -EIO;
	memset(buf, 'x', size);
	return (int)size;
}

static int broken_write(const char *path, const char *buf, size_t size, off_t offset, struct fuse_file_info *fi)
{
	return offset + (off_t)size > GOOD_BYTES ? -EIO : (int)size;
}

static int broken_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	return 0;
}

int main(int argc, char *argv[])
{
	static const struct fuse_operations operations = {
		.getattr = broken_getattr,
		.open = broken_open,
		.read = broken_read,
		.write = broken_write,
		.truncate = broken_truncate,
	};

	return fuse_main(argc, argv, &operations, NULL);
}
