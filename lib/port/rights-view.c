/*
 * What a process sees is told from files of /proc that everybody may read. Its links root and ns/ are not: they
 * ask for the right to trace the process, which a daemon in a user namespace of its own never has over those
 * outside (commoncap.c, cap_ptrace_access_check), and root in a container may not have over others. Instead:
 *
 *   mountinfo  the id of the mount at '/', unique among all mounts of the machine (fs/namespace.c), names the
 *              mount namespace and the root folder at once: a process that has changed root to another folder
 *              either has no mount at '/', or another one
 *   net/dev    a file of its own for each network namespace (fs/proc/proc_net.c): its inode number
 *   uid_map    differs in each user namespace but those that map every id to itself; so ns/user is asked first
 */
#include "rights.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base.h"
#include "gids.h"

/* A map of ids has at most 340 lines of 33 bytes (user_namespaces(7)); what does not fit is nobody's equal. */
#define MAP_MAX 12288

struct view {
	int root; /* mount id, 0 where '/' is no mount */
	dev_t net_dev;
	ino_t net_ino;
};

/* Written once, before there are threads. */
static struct view own;
static struct stat own_users; /* the user namespace; st_ino 0: not to be seen */
static char own_map[MAP_MAX];
static char own_label[256];

/* ---- files of a process ---- */

int rights_unseen(int err)
{
	return err == ENOMEM || err == EMFILE || err == ENFILE ? -err : -ESRCH;
}

int rights_open_process(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = pid > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0)
		return fd;
	return pid > 0 ? rights_unseen(errno) : -ESRCH;
}

static FILE *rights_open_file(int process, const char *name)
{
	int fd = openat(process, name, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f)
		fd_close(&fd);
	return f;
}

/* A short file, as text; "" where it cannot be read. Returns 0 or rights_unseen()'s error. */
static int rights_read_text(int process, const char *name, char *text, size_t size)
{
	FILE *f = rights_open_file(process, name);
	size_t n = f ? fread(text, 1, size - 1, f) : 0;
	int err = f && !ferror(f) ? 0 : rights_unseen(errno);

	text[n] = '\0';
	if (f)
		fclose(f);
	return err;
}

/* ---- namespaces ---- */

static int rights_read_root(int process, int *root)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	FILE *f = rights_open_file(process, "mountinfo");
	int err = 0;

	if (!f)
		return rights_unseen(errno);
	*root = 0;
	while (getline(&line, &size, f) >= 0) {
		char slash, space;
		int id;

		/* The last one is on top. */
		if (sscanf(line, "%d %*d %*s %*s %c%c", &id, &slash, &space) == 3 && slash == '/' && space == ' ')
			*root = id;
	}
	if (!feof(f))
		err = rights_unseen(errno);
	fclose(f);
	return err;
}

static int rights_read_view(int process, struct view *view)
{
	struct stat st;

	if (fstatat(process, "net/dev", &st, 0) < 0)
		return rights_unseen(errno);
	view->net_dev = st.st_dev;
	view->net_ino = st.st_ino;
	return rights_read_root(process, &view->root);
}

int rights_remember_view(void)
{
	_cleanup_fd_ int self = rights_open_process(getpid());

	if (self < 0)
		return self;
	if (fstatat(self, "ns/user", &own_users, 0) < 0)
		own_users.st_ino = 0;
	rights_read_text(self, "uid_map", own_map, sizeof(own_map));
	rights_read_text(self, "attr/apparmor/current", own_label, sizeof(own_label));
	return rights_read_view(self, &own);
}

int rights_same_view(int process)
{
	struct view view;
	int err = process < 0 ? process : rights_read_view(process, &view);

	if (err < 0)
		return err;
	return own.root && view.root == own.root && view.net_dev == own.net_dev && view.net_ino == own.net_ino ? 0 :
														 -EXDEV;
}

/* ---- groups ---- */

/* The numbers in @text. */
static int rights_parse_groups(const char *text, gid_t **groups, size_t *count)
{
	size_t room = strlen(text) / 2 + 1; /* each has a digit and a space */
	char *end;

	*groups = calloc(room, sizeof(**groups));
	if (!*groups)
		return -ENOMEM;
	for (*count = 0;; text = end) {
		unsigned long gid = strtoul(text, &end, 10);

		if (end == text)
			break;
		(*groups)[(*count)++] = (gid_t)gid;
	}
	gids_sort(*groups, *count);
	return 0;
}

int rights_read_groups(pid_t pid, gid_t **groups, size_t *count)
{
	static const char head[] = "Groups:";
	_cleanup_fd_ int process = rights_open_process(pid);
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	FILE *f = process < 0 ? NULL : rights_open_file(process, "status");
	int err = process < 0 ? process : f ? 0 : rights_unseen(errno);

	*groups = NULL;
	*count = 0;
	while (f && getline(&line, &size, f) >= 0)
		if (!strncmp(line, head, strlen(head))) {
			err = rights_parse_groups(line + strlen(head), groups, count);
			break;
		}
	if (f && !*groups && err == 0 && !feof(f))
		err = rights_unseen(errno);
	if (f)
		fclose(f);
	return err == -ESRCH ? 0 : err;
}

/* ---- capabilities ---- */

static bool rights_same_users(int process)
{
	char map[MAP_MAX];
	struct stat st;

	if (own_users.st_ino && fstatat(process, "ns/user", &st, 0) == 0)
		return st.st_dev == own_users.st_dev && st.st_ino == own_users.st_ino;
	rights_read_text(process, "uid_map", map, sizeof(map));
	return *map && strlen(map) < sizeof(map) - 1 && !strcmp(map, own_map);
}

void rights_see_capabilities(struct rights *r, int process)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = r->pid };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	r->caps = 0;
	if (r->uid == 0 && r->pid > 0 && process >= 0 && rights_same_users(process) &&
	    syscall(SYS_capget, &header, data) == 0)
		r->caps = data[0].effective | (uint64_t)data[1].effective << 32;
}

/* ---- confinement ---- */

static bool rights_renounces(int process)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	FILE *f = rights_open_file(process, "status");
	int renounces = 1;

	while (f && getline(&line, &size, f) >= 0)
		if (sscanf(line, "NoNewPrivs: %d", &renounces) == 1)
			break;
	if (f)
		fclose(f);
	return renounces;
}

const char *rights_confined(int process)
{
	char label[sizeof(own_label)];
	int err;

	if (rights_renounces(process))
		return "no_new_privs is set, as for Landlock";
	/* (Where there is no AppArmor, nor is the file, or it cannot be read.) */
	err = rights_read_text(process, "attr/apparmor/current", label, sizeof(label));
	if (err < 0 && err != -ESRCH)
		return "it cannot be looked at";
	return *label && strcmp(label, "unconfined\n") && strcmp(label, own_label) ? "AppArmor" : NULL;
}
