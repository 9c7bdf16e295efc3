#include "session.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "operations.h"

static ssize_t take_answer(int fd, struct iovec *iov, int count, void *userdata)
{
	struct session *s = userdata;
	struct fuse_out_header head;
	size_t total = 0;
	char *to = s->data;

	s->answers++;
	memcpy(&head, iov[0].iov_base, sizeof(head));
	s->err = head.error;
	for (int i = 0; i < count; i++) {
		total += iov[i].iov_len;
		if (i == 0)
			continue;
		cr_assert_leq((size_t)(to - s->data) + iov[i].iov_len, sizeof(s->data));
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
	s->len = (size_t)(to - s->data);
	return (ssize_t)total;
}

static ssize_t no_request(int fd, void *buf, size_t len, void *userdata)
{
	return -EAGAIN;
}

static void send_request(struct session *s, uint32_t opcode, uint64_t node, const void *in, size_t len)
{
	static uint64_t unique;
	char buf[8192];
	struct fuse_in_header head = {
		.len = (uint32_t)(sizeof(head) + len),
		.opcode = opcode,
		.unique = ++unique,
		.nodeid = node,
		.uid = s->uid,
		.gid = s->gid,
		.pid = (uint32_t)s->pid,
	};
	struct fuse_buf request = { .size = head.len, .mem = buf };

	cr_assert_leq(head.len, sizeof(buf));
	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), in, len);
	s->answers = 0;
	fuse_session_process_buf(s->ctx.session, &request);
}

int session_call(struct session *s, uint32_t opcode, uint64_t node, const void *in, size_t len)
{
	send_request(s, opcode, node, in, len);
	cr_assert_eq(s->answers, 1, "request %u got %d answers", opcode, s->answers);
	return s->err;
}

void session_start(struct session *s, const struct fuse_lowlevel_ops *ops)
{
	static const struct fuse_custom_io io = { .writev = take_answer, .read = no_request };
	struct fuse_init_in init = { .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION };
	char *argv[] = { "test", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct context *ctx = &s->ctx;
	const struct operation_hooks none = { 0 };

	memset(s, 0, sizeof(*s));
	s->pid = getpid();
	ctx->mountpoint = "/mnt/spfs";
	cr_assert_eq(node_table_init(&ctx->nodes, 0755, s->uid, s->gid), 0);
	cr_assert_eq(operations_create(ctx, &none), 0);
	ctx->admin = node_create(&ctx->nodes, NODE_DIR, NULL, S_IFDIR | 0755, s->uid, s->gid);
	ctx->numbers = node_create(&ctx->nodes, NODE_DIR, NULL, S_IFDIR | 0700, s->uid, s->gid);
	ctx->admin->pins++;
	ctx->numbers->pins++;
	/* libfuse gives one pointer to the operations and to the io: the context is the session's first member. */
	ctx->session = fuse_session_new(&args, ops ? ops : &operations_table, sizeof(operations_table), s);
	fuse_opt_free_args(&args);
	cr_assert(ctx->session);
	cr_assert_eq(fuse_session_custom_io(ctx->session, &io, open("/dev/null", O_RDWR | O_CLOEXEC)), 0);
	cr_assert_eq(session_call(s, FUSE_INIT, 0, &init, sizeof(init)), 0);
}

void session_stop(struct session *s)
{
	operations_destroy(&s->ctx);
	fuse_session_destroy(s->ctx.session);
	node_table_finish(&s->ctx.nodes);
}

/* A request of a struct and up to two names. Returns the answer's error. */
static int call_names(struct session *s, uint32_t opcode, uint64_t node, const void *in, size_t len, const char *name,
		      const char *other)
{
	char buf[4096];

	if (len)
		memcpy(buf, in, len);
	strcpy(buf + len, name);
	len += strlen(name) + 1;
	if (other) {
		strcpy(buf + len, other);
		len += strlen(other) + 1;
	}
	return session_call(s, opcode, node, buf, len);
}

static int64_t entry(const struct session *s, int err)
{
	struct fuse_entry_out out;

	if (err < 0)
		return err;
	memcpy(&out, s->data, sizeof(out));
	return (int64_t)out.nodeid;
}

int64_t session_make(struct session *s, uint64_t dir, const char *name, mode_t mode)
{
	struct fuse_mkdir_in mkdir = { .mode = mode };
	struct fuse_mknod_in mknod = { .mode = mode };

	return entry(s, S_ISDIR(mode) ? call_names(s, FUSE_MKDIR, dir, &mkdir, sizeof(mkdir), name, NULL) :
					call_names(s, FUSE_MKNOD, dir, &mknod, sizeof(mknod), name, NULL));
}

int64_t session_lookup(struct session *s, uint64_t dir, const char *name)
{
	return entry(s, call_names(s, FUSE_LOOKUP, dir, NULL, 0, name, NULL));
}

int session_remove(struct session *s, uint64_t dir, const char *name, mode_t mode)
{
	return call_names(s, S_ISDIR(mode) ? FUSE_RMDIR : FUSE_UNLINK, dir, NULL, 0, name, NULL);
}

int session_rename(struct session *s, uint64_t dir, const char *name, uint64_t newdir, const char *newname)
{
	struct fuse_rename_in in = { .newdir = newdir };

	return call_names(s, FUSE_RENAME, dir, &in, sizeof(in), name, newname);
}

void session_forget(struct session *s, uint64_t node, uint64_t count)
{
	struct fuse_forget_in in = { .nlookup = count };

	send_request(s, FUSE_FORGET, node, &in, sizeof(in));
	cr_assert_eq(s->answers, 0);
}

void session_forget_both(struct session *s, uint64_t a, uint64_t b, uint64_t count)
{
	struct {
		struct fuse_batch_forget_in head;
		struct fuse_forget_one both[2];
	} in = { { .count = 2 }, { { a, count }, { b, count } } };

	send_request(s, FUSE_BATCH_FORGET, 0, &in, sizeof(in));
	cr_assert_eq(s->answers, 0);
}

uint64_t session_opendir(struct session *s, uint64_t dir)
{
	struct fuse_open_in in = { 0 };
	struct fuse_open_out out;

	cr_assert_eq(session_call(s, FUSE_OPENDIR, dir, &in, sizeof(in)), 0);
	memcpy(&out, s->data, sizeof(out));
	return out.fh;
}

void session_releasedir(struct session *s, uint64_t dir, uint64_t handle)
{
	struct fuse_release_in in = { .fh = handle };

	cr_assert_eq(session_call(s, FUSE_RELEASEDIR, dir, &in, sizeof(in)), 0);
}

void session_readdir(struct session *s, uint64_t dir, uint64_t handle, uint64_t *offset, size_t size, char *names)
{
	struct fuse_read_in in = { .fh = handle, .offset = *offset, .size = (uint32_t)size };

	cr_assert_eq(session_call(s, FUSE_READDIR, dir, &in, sizeof(in)), 0);
	for (char *p = s->data; p < s->data + s->len;) {
		struct fuse_dirent head;

		memcpy(&head, p, FUSE_NAME_OFFSET);
		memcpy(names, p + FUSE_NAME_OFFSET, head.namelen);
		names += head.namelen;
		*names++ = ' ';
		*offset = head.off;
		p += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + head.namelen);
	}
	*names = '\0';
}
