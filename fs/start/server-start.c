/*
 * The order of the start: what can fail without a mount; the mount, behind the gate (gate.h); the private view of it;
 * a child that opens the folder of numbers in it and binds the control socket (scout.h), while the FUSE thread
 * answers; the engine, which has its folder from its first moment on; then the gate opens, and last the declared
 * channels are made. Whatever fails after the mount leaves in good order, and says why.
 */
#include "server-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts.h"
#include "base.h"
#include "clock.h"
#include "config.h"
#include "control.h"
#include "declare.h"
#include "engine.h"
#include "files.h"
#include "job.h"
#include "log.h"
#include "pipe.h"
#include "operations.h"
#include "rights.h"
#include "services.h"

#define FS_TYPE "fuse.spfs"

struct start_job {
	struct job job;
	struct server *server;
	int dir;
	dev_t dev; /* of it */
	int err;
	struct control_sockets control;
};

/* ---- without a mount ---- */

static int server_check_place(struct server *s)
{
	struct mount_id id;
	struct stat st;
	int err = mount_find(s->mount.mounts, s->mount.point, FS_TYPE, &id);

	if (err < 0 || !id.id)
		return err;
	/* ECONNABORTED: it was killed while this was asked. */
	if (stat(s->mount.point, &st) == 0 || (errno != ENOTCONN && errno != ECONNABORTED))
		return -EBUSY;
	log_info("%s: cleaning up after a daemon that was killed", s->mount.point);
	return mount_clean(s->mount.point);
}

static int server_start_nodes(struct server *s)
{
	struct context *ctx = &s->ctx;
	const struct config *config = ctx->config;
	struct stat st;
	int err;

	if (stat(s->mount.point, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	err = node_table_init(&ctx->nodes, config->mode == (mode_t)-1 ? st.st_mode & 0777 : config->mode,
			      config->owner == (uid_t)-1 ? st.st_uid : config->owner,
			      config->group == (gid_t)-1 ? st.st_gid : config->group);
	if (err < 0)
		return err;
	ctx->admin = node_create(&ctx->nodes, NODE_DIR, NULL, S_IFDIR | 0755, geteuid(), getegid());
	ctx->numbers = node_create(&ctx->nodes, NODE_DIR, NULL, S_IFDIR | 0700, geteuid(), getegid());
	ctx->socket = node_create(&ctx->nodes, NODE_SOCKET, NULL, S_IFSOCK | 0666, geteuid(), getegid());
	ctx->door = node_create(&ctx->nodes, NODE_SOCKET, NULL, S_IFSOCK | 0666, geteuid(), getegid());
	if (!ctx->admin || !ctx->numbers || !ctx->socket || !ctx->door)
		return -ENOMEM;
	ctx->admin->pins++;
	ctx->numbers->pins++;
	ctx->socket->pins++;
	ctx->door->pins++;
	ctx->socket->pending = ctx->door->pending = true;
	ctx->admin->inode->names = ctx->numbers->inode->names = 1;
	ctx->socket->inode->names = ctx->door->inode->names = 1;
	return files_create(ctx);
}

static int server_start_signals(struct server *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a sink's file that grows too large is EFBIG */
	s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->signals < 0 ? -errno : 0;
}

static void server_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* libfuse's levels are syslog's, and its lines may come in pieces. */
static void server_log_fuse(enum fuse_log_level level, const char *fmt, va_list ap)
{
	static _Thread_local char line[1024];
	static _Thread_local size_t len;
	int n = vsnprintf(line + len, sizeof(line) - len, fmt, ap);

	len += n < 0 ? 0 : (size_t)n;
	if (len < sizeof(line) && (!len || line[len - 1] != '\n'))
		return;
	log_line(LOG_NOBODY, (int)level, "%.*s", (int)strcspn(line, "\n"), line);
	len = 0;
}

static int server_start_loops(struct server *s)
{
	struct context *ctx = &s->ctx;
	const struct operation_hooks hooks = { .file_lookup = files_lookup, .xattrs = control_xattrs() };
	int err = loop_create(&ctx->loop);

	if (err == 0)
		err = loop_create(&ctx->helper);
	if (err == 0)
		err = services_create(ctx);
	if (err == 0)
		err = operations_create(ctx, &hooks);
	return err < 0 ? err : control_create(ctx);
}

/* ---- the mount ---- */

static int server_mount(struct server *s, struct fuse_args *args)
{
	struct mount_id before;
	int fd, err, found;

	s->ctx.session = fuse_session_new(args, &operations_table, sizeof(operations_table), &s->ctx);
	if (!s->ctx.session)
		return -EINVAL;
	gate_init(&s->gate, &s->ctx);
	err = mount_find(s->mount.mounts, s->mount.point, NULL, &before);
	if (err < 0)
		return err;
	err = fuse_session_mount(s->ctx.session, s->mount.point) < 0 ? -EIO : 0;
	found = mount_note(&s->mount, FS_TYPE, &before);
	if (err == 0)
		err = found;
	if (err < 0)
		return err;
	fd = fuse_session_fd(s->ctx.session);
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
}

static void server_shed_rights(void)
{
	int err = rights_shed();

	if (err < 0)
		log_warn("what is written for others looks like root's own: %s", strerror(-err));
}

int server_start(struct server *s, struct fuse_args *args, const struct server_options *options)
{
	int err;

	s->ctx.started = clock_nsec();
	server_raise_limits();
	pipe_learn_limit();
	accounts_begin(&s->ctx);
	fuse_set_log_func(server_log_fuse);
	s->ctx.mountpoint = strdup(options->config->point);
	if (!s->ctx.mountpoint)
		return -ENOMEM;
	s->mount.point = s->ctx.mountpoint;
	s->mount.guard = options->auto_unmount;
	s->mount.mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (s->mount.mounts < 0)
		return -errno;
	err = rights_remember_view();
	if (err == 0)
		err = server_check_place(s);
	if (err == 0)
		err = server_start_loops(s);
	if (err == 0)
		err = server_start_nodes(s);
	if (err == 0)
		err = server_start_signals(s);
	if (err == 0)
		err = mount_prepare(&s->mount);
	if (err == 0)
		err = server_mount(s, args);
	if (err == 0)
		err = mount_guard(&s->mount);
	if (err == 0)
		err = mount_open_private(&s->mount);
	if (err < 0)
		return err;
	server_shed_rights();
	err = scout_start(&s->scout, s->mount.tree);
	s->ctx.scout = s->scout.pid;
	if (err == 0)
		err = log_start(); /* (the private view asks for a process with one thread) */
	if (err == 0)
		err = loop_start(s->ctx.helper, "spfsd-helper", &s->helper_thread);
	s->helping = err == 0;
	return err;
}

/* ---- with the mount answered ---- */

static int server_start_engine(struct server *s)
{
	struct engine_events events;

	services_hear(&s->ctx, &events);
	return engine_create(&s->ctx.engine, s->ctx.config->workers, s->dir, &events);
}

/* On the helper, because the FUSE thread has to answer the look-ups. */
static void server_work_start(struct job *job)
{
	struct start_job *j = container_of(job, struct start_job, job);

	j->err = scout_wait(&j->server->scout, &j->dir, &j->dev, &j->control);
}

static void server_started(struct job *job)
{
	struct start_job *j = container_of(job, struct start_job, job);
	struct server *s = j->server;

	scout_finish(&s->scout);
	s->ctx.scout = 0;
	s->dir = j->dir;
	s->ctx.dev = j->dev;
	if (s->ctx.leaving) {
		control_close(&j->control);
		free(j);
		return;
	}
	s->err = j->err;
	if (s->err < 0)
		log_err("the mount does not answer: %s", strerror(-s->err));
	if (s->err == 0) {
		s->err = server_start_engine(s);
		if (s->err < 0)
			log_err("no threads to move data: %s", strerror(-s->err));
	}
	if (s->err == 0 && j->control.err < 0)
		log_warn("no control socket, so no 'spfs source', 'sink', 'ports': %s", strerror(-j->control.err));
	if (s->err < 0) {
		control_close(&j->control);
		free(j);
		server_leave(s);
		return;
	}
	gate_open(&s->gate);
	control_start(&s->ctx, &j->control);
	free(j);
	log_info("serving %s", s->mount.point);
	declare_all(&s->ctx, NULL, NULL, NULL, server_ready, s);
}

void server_go_on(struct server *s)
{
	struct start_job *j = calloc(1, sizeof(*j));

	if (!j) {
		s->err = -ENOMEM;
		server_leave(s);
		return;
	}
	j->server = s;
	j->dir = -1;
	job_post(&s->ctx, s->ctx.helper, &j->job, server_work_start, server_started);
}
