/*
 * hanging-file DIR: a file system with a file, DIR/page, and as many more as are asked for by a number, DIR/0 and so on,
 * whose bytes never come: who touches them in a mapping waits for as long as this one lives, and so does who writes any.
 * It is what an attacker's own file system is like.
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PAGE_INO 2
#define NUMBERS_INO 3 /* of DIR/0 */

static struct stat hanging_stat(fuse_ino_t ino)
{
	return (struct stat){ .st_ino = ino,
			      .st_mode = ino >= PAGE_INO ? S_IFREG | 0666 : S_IFDIR | 0755,
			      .st_nlink = 1,
			      .st_size = ino >= PAGE_INO ? 1 << 20 : 0 };
}

static void hanging_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	bool number = *name && !name[strspn(name, "0123456789")];
	fuse_ino_t ino = number ? NUMBERS_INO + strtoul(name, NULL, 10) : PAGE_INO;
	struct fuse_entry_param e = {
		.ino = ino, .attr = hanging_stat(ino), .attr_timeout = 3600, .entry_timeout = 3600
	};

	if (!number && strcmp(name, "page") != 0)
		fuse_reply_err(req, ENOENT);
	else
		fuse_reply_entry(req, &e);
}

static void hanging_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = hanging_stat(ino);

	fuse_reply_attr(req, &st, 3600);
}

static void hanging_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fuse_reply_open(req, fi);
}

static void hanging_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	fuse_reply_none(req); /* no answer at all */
}

static void hanging_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t off,
			  struct fuse_file_info *fi)
{
	fuse_reply_none(req);
}

int main(int argc, char **argv)
{
	char *options[] = { argv[0], "-oallow_other,default_permissions,fsname=hanging", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, options);
	const struct fuse_lowlevel_ops ops = { .lookup = hanging_lookup,
					       .getattr = hanging_getattr,
					       .open = hanging_open,
					       .read = hanging_read,
					       .write = hanging_write };
	struct fuse_session *session = fuse_session_new(&args, &ops, sizeof(ops), NULL);

	if (argc != 2 || !session || fuse_session_mount(session, argv[1]) < 0)
		return 1;
	puts("mounted");
	fflush(stdout);
	fuse_session_loop(session);
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	fuse_opt_free_args(&args);
	return 0;
}
