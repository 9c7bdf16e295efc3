#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access.h"
#include "entries.h"
#include "session.h"

static struct session s;
static struct rights rights; /* of the request's caller */
static void (*question)(void);

/* The operation that every test asks for: its question, with a request that has a caller. */
static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	cr_assert_eq(access_rights(req, &rights), 0);
	question();
	rights_finish(&rights);
	fuse_reply_err(req, 0);
}

static void ask(uid_t uid, gid_t gid, void (*what)(void))
{
	s.uid = uid;
	s.gid = gid;
	question = what;
	cr_assert_eq(session_call(&s, FUSE_STATFS, NODE_ROOT, "", 0), 0);
}

static struct node *make(struct node *dir, const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	enum node_kind kind = S_ISDIR(mode) ? NODE_DIR : NODE_FIFO;
	struct node *node = node_create(&s.ctx.nodes, kind, NULL, mode, uid, gid);

	cr_assert(node);
	if (kind == NODE_FIFO)
		node->inode->origin = node;
	cr_assert_eq(node_attach(&s.ctx.nodes, node, dir, name), 0);
	return node;
}

/* /open (777) and in it: x, mine (1000:1000 0700), shut (0:0 0000); /sticky (1777) with x of 1000. */
static struct node *open_dir, *x, *mine, *sticky, *stuck;

static void start(void)
{
	static const struct fuse_lowlevel_ops ops = { .statfs = op_statfs };

	cr_assert_eq(rights_remember_view(), 0);
	session_start(&s, &ops);
	open_dir = make(s.ctx.nodes.root, "open", S_IFDIR | 0777, 0, 0);
	x = make(open_dir, "x", S_IFIFO | 0640, 1000, 2000);
	mine = make(open_dir, "mine", S_IFDIR | 0700, 1000, 1000);
	make(mine, "y", S_IFIFO | 0600, 1000, 1000);
	make(open_dir, "shut", S_IFDIR, 0, 0);
	sticky = make(s.ctx.nodes.root, "sticky", S_IFDIR | S_ISVTX | 0777, 5, 5);
	stuck = make(sticky, "x", S_IFIFO | 0666, 1000, 1000);
}

static void stop(void)
{
	session_stop(&s);
}

TestSuite(access, .init = start, .fini = stop, .timeout = 60);

static void the_owner(void)
{
	cr_expect_eq(access_check(&rights, x->inode, R_OK | W_OK), 0);
	cr_expect_eq(access_check(&rights, x->inode, X_OK), -EACCES);
}

Test(access, the_owner_has_the_owner_s_bits)
{
	ask(1000, 7, the_owner);
}

static void nothing_at_all(void)
{
	cr_expect_eq(access_check(&rights, x->inode, R_OK), -EACCES);
	cr_expect_eq(access_check(&rights, x->inode, W_OK), -EACCES);
}

Test(access, the_owner_does_not_get_the_group_s_bits)
{
	x->inode->mode = S_IFIFO | 0066;
	ask(1000, 2000, nothing_at_all);
}

static void read_only(void)
{
	cr_expect_eq(access_check(&rights, x->inode, R_OK), 0);
	cr_expect_eq(access_check(&rights, x->inode, W_OK), -EACCES);
	cr_expect_eq(access_check(&rights, x->inode, R_OK | W_OK), -EACCES);
}

Test(access, the_group_has_the_group_s_bits)
{
	ask(1001, 2000, read_only);
}

Test(access, others_have_nothing_here)
{
	ask(1001, 1001, nothing_at_all);
}

Test(access, supplementary_groups_count)
{
	gid_t groups[] = { 100, 2000, 300 };
	int ready[2], status;
	char c;

	if (geteuid())
		cr_skip_test("only root can be in any group");
	cr_assert_eq(pipe(ready), 0);
	s.pid = fork();
	if (s.pid == 0) {
		if (setgroups(3, groups) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	cr_assert_eq(read(ready[0], &c, 1), 1);
	ask(1001, 1001, read_only);
	kill(s.pid, SIGKILL);
	waitpid(s.pid, &status, 0);
	/* Who has gone by now is in no group. */
	ask(1001, 1001, nothing_at_all);
	close(ready[0]);
	close(ready[1]);
}

static void everything(void)
{
	cr_expect_eq(access_check(&rights, x->inode, R_OK | W_OK | X_OK), 0);
	cr_expect_eq(access_may_delete(&rights, x), 0);
	cr_expect_eq(access_may_delete(&rights, stuck), 0);
}

Test(access, root_may_everything)
{
	if (geteuid() != 0)
		cr_skip("whose capabilities are looked up is the test itself");
	x->inode->mode = S_IFIFO;
	ask(0, 0, everything);
}

static void may_delete(void)
{
	cr_expect_eq(access_may_delete(&rights, x), 0);
	cr_expect_eq(access_may_delete(&rights, stuck), 0);
}

static void may_not_delete(void)
{
	cr_expect_eq(access_may_delete(&rights, x), 0);
	cr_expect_eq(access_may_delete(&rights, stuck), -EACCES);
	cr_expect_eq(access_may_delete(&rights, entries_after(&mine->entries, 0)), -EACCES);
	cr_expect_eq(access_may_delete(&rights, s.ctx.nodes.root), -EACCES);
}

Test(access, in_a_sticky_folder_only_the_owners_delete)
{
	ask(1000, 1000, may_delete); /* the name's */
	ask(5, 5, may_delete);       /* the folder's */
	ask(1001, 1001, may_not_delete);
}

static int walk(const char *path, struct node **dir, const char **name)
{
	*dir = NULL;
	*name = NULL;
	return access_walk(&s.ctx, &rights, open_dir, path, dir, name);
}

static void walks(void)
{
	static const struct {
		const char *path;
		struct node **dir;
		const char *name;
	} cases[] = {
		{ "new", &open_dir, "new" },
		{ "./new", &open_dir, "new" },
		{ ".//.///new", &open_dir, "new" },
		{ "mine/new", &mine, "new" },
		{ "mine/../new", &open_dir, "new" },
		{ "../sticky/new", &sticky, "new" },
		{ "/mnt/spfs/open/mine/new", &mine, "new" },
		{ "/mnt/spfs//open/./mine//new", &mine, "new" },
	};
	struct node *dir;
	const char *name;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(walk(cases[i].path, &dir, &name), 0, "%s", cases[i].path);
		cr_expect_eq(dir, *cases[i].dir, "%s", cases[i].path);
		cr_expect_str_eq(name, cases[i].name);
	}
}

Test(access, walks_to_the_folder_of_a_new_name)
{
	ask(1000, 1000, walks);
}

static void walks_nowhere(void)
{
	static char name[NAME_MAX + 2], part[NAME_MAX + 4];
	const struct {
		const char *path;
		int err;
	} cases[] = {
		{ "", -EINVAL },
		{ ".", -EINVAL },
		{ "..", -EINVAL },
		{ "mine/", -EINVAL },
		{ "mine/..", -EINVAL },
		{ "none/new", -ENOENT },
		{ "x/new", -ENOTDIR },
		{ "../../new", -EXDEV },
		{ "/", -EXDEV },
		{ "/etc/new", -EXDEV },
		{ "/mnt/spfs", -EXDEV },
		{ "/mnt/spfsx/new", -EXDEV },
		{ "/mnt/spfs/../new", -EXDEV },
		{ "/mnt/spfs/", -EINVAL },
		{ "shut/new", -EACCES },
		{ "shut/deeper/new", -EACCES },
		{ "../new", -EACCES },
		{ name, -ENAMETOOLONG },
		{ part, -ENAMETOOLONG },
	};
	struct node *dir;
	const char *last;

	memset(name, 'n', sizeof(name) - 1);
	memset(part, 'n', sizeof(part) - 3);
	strcpy(part + sizeof(part) - 3, "/x");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = walk(cases[i].path, &dir, &last);

		cr_expect_eq(err, cases[i].err, "%.20s: %s", cases[i].path, strerror(-err));
	}
}

Test(access, walks_nowhere_else)
{
	ask(1000, 1000, walks_nowhere);
}

static void only_mine(void)
{
	struct node *dir;
	const char *name;

	cr_expect_eq(walk("mine/new", &dir, &name), -EACCES);
	cr_expect_eq(walk("mine/../new", &dir, &name), -EACCES);
}

Test(access, walks_with_the_caller_s_rights)
{
	ask(1001, 1001, only_mine);
}

Test(access, finds_what_is_there_whoever_asks)
{
	struct node *root = s.ctx.nodes.root;
	char name[NAME_MAX + 2];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cr_assert_eq(access_find(root, "open/mine/y"), entries_after(&mine->entries, 0));
	cr_assert_eq(access_find(root, "open"), open_dir);
	cr_assert_null(access_find(root, "open/none"));
	cr_assert_null(access_find(root, "open/x/y"));
	cr_assert_null(access_find(root, name));
	cr_assert_null(access_find(NULL, "x"));
}
