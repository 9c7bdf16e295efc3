/*
 * hanging-file DIR: a file system with a file, DIR/page, and as many more as are asked for by a number, DIR/0 and so on,
 * whose bytes never come: who touches them in a mapping waits for as long as this one lives, and so does who writes any.
 * It is what an attacker's own file system is like. Of DIR/s0 and so on what is written is taken, and then nobody is told how
 * large they are. What begins with never is looked for in vain, and
 * what begins with enosys answers with that. What begins with sync can be made, and has no end of its
 * fsync(2). What begins with close is never closed to an end, by a daemon; by everybody else it is. DIR/unsized is no
 * attacker's: it has what is written to it, and always shows a size of 0.
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_INO 2
#define UNSIZED_INO 3
#define NUMBERS_INO 16         /* of DIR/0 */
#define TAKING_INO (1ul << 32) /* of DIR/s0 */
#define SYNC_INO (1ul << 33)   /* of the first that was made */
#define CLOSE_INO (1ul << 34)

static char unsized[1 << 16];

static struct stat hanging_stat(fuse_ino_t ino)
{
	return (struct stat){ .st_ino = ino,
			      .st_mode = ino >= PAGE_INO ? S_IFREG | 0666 : S_IFDIR | 0755,
			      .st_nlink = 1,
			      .st_size = ino >= PAGE_INO && ino != UNSIZED_INO && ino < TAKING_INO ? 1 << 20 : 0 };
}

static void hanging_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	bool takes = *name == 's';
	const char *digits = name + takes;
	bool number = *digits && !digits[strspn(digits, "0123456789")];
	fuse_ino_t ino = number                  ? (takes ? TAKING_INO : NUMBERS_INO) + strtoul(digits, NULL, 10) :
			 strcmp(name, "unsized") ? PAGE_INO :
						   UNSIZED_INO;
	bool closes = !strncmp(name, "close", 5);
	struct fuse_entry_param e = {
		.ino = ino, .attr = hanging_stat(ino), .attr_timeout = 3600, .entry_timeout = 3600
	};

	if (closes) {
		e.ino = CLOSE_INO;
		e.attr = hanging_stat(CLOSE_INO);
	}
	if (!strncmp(name, "never", 5))
		fuse_reply_none(req);
	else if (!strncmp(name, "enosys", 6))
		fuse_reply_err(req, ENOSYS);
	else if (!number && !closes && ino == PAGE_INO && strcmp(name, "page") != 0)
		fuse_reply_err(req, ENOENT);
	else
		fuse_reply_entry(req, &e);
}

static void hanging_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = hanging_stat(ino);

	if (ino >= TAKING_INO && ino < SYNC_INO)
		fuse_reply_none(req);
	else
		fuse_reply_attr(req, &st, 3600);
}

static void hanging_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int which, struct fuse_file_info *fi)
{
	struct stat st = hanging_stat(ino);

	fuse_reply_attr(req, &st, 3600);
}

static void hanging_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	static fuse_ino_t last = SYNC_INO;
	struct fuse_entry_param e = {
		.ino = last, .attr = hanging_stat(last), .attr_timeout = 3600, .entry_timeout = 3600
	};

	if (strncmp(name, "sync", 4) != 0) {
		fuse_reply_err(req, EACCES);
		return;
	}
	last++;
	fuse_reply_create(req, &e, fi);
}

static void hanging_fsync(fuse_req_t req, fuse_ino_t ino, int data, struct fuse_file_info *fi)
{
	if (ino >= SYNC_INO)
		fuse_reply_none(req);
	else
		fuse_reply_err(req, ENOSYS);
}

static bool hanging_is_daemon(pid_t thread)
{
	char name[32], comm[32] = "";
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/comm", thread);
	file = fopen(name, "r");
	if (file && !fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	if (file)
		fclose(file);
	return !strncmp(comm, "spfsd", 5);
}

static void hanging_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (ino == CLOSE_INO && hanging_is_daemon(fuse_req_ctx(req)->pid))
		fuse_reply_none(req);
	else
		fuse_reply_err(req, 0);
}

static void hanging_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fi->direct_io = ino == UNSIZED_INO;
	fuse_reply_open(req, fi);
}

static void hanging_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	size_t at = off < (off_t)sizeof(unsized) ? (size_t)off : sizeof(unsized),
	       left = strnlen(unsized + at, sizeof(unsized) - at);

	if (ino == UNSIZED_INO)
		fuse_reply_buf(req, unsized + at, size < left ? size : left);
	else
		fuse_reply_none(req); /* no answer at all */
}

static void hanging_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t off,
			  struct fuse_file_info *fi)
{
	if (ino == UNSIZED_INO && (size_t)off + size < sizeof(unsized))
		memcpy(unsized + off, bytes, size);
	if (ino == UNSIZED_INO || ino >= TAKING_INO)
		fuse_reply_write(req, size);
	else
		fuse_reply_none(req);
}

int main(int argc, char **argv)
{
	char *options[] = { argv[0], "-oallow_other,default_permissions,fsname=hanging", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, options);
	const struct fuse_lowlevel_ops ops = { .lookup = hanging_lookup,
					       .getattr = hanging_getattr,
					       .setattr = hanging_setattr,
					       .create = hanging_create,
					       .flush = hanging_flush,
					       .fsync = hanging_fsync,
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
	_exit(0); /* libfuse keeps the interrupts of what is never answered, which a leak detector would find */
}
