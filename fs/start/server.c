#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "attach.h"
#include "base.h"
#include "collector.h"
#include "config.h"
#include "control.h"
#include "declare.h"
#include "dir.h"
#include "port-wait.h"
#include "engine.h"
#include "events.h"
#include "handle.h"
#include "log.h"
#include "mount.h"
#include "ops.h"
#include "snapshot.h"
#include "reload.h"
#include "ring.h"
#include "descriptor-scan.h"
#include "tee.h"

#define FS_TYPE "fuse.spfs"

/* Requests served before signals and jobs have a turn. */
#define TURN_REQUESTS 32

/* ---- jobs ---- */

static void job_finish(struct loop_task *task)
{
	struct job *job = container_of(task, struct job, task);

	job->finish(job);
}

static void job_work(struct loop_task *task)
{
	struct job *job = container_of(task, struct job, task);

	job->work(job);
	task->run = job_finish;
	loop_post(job->server->loop, task);
}

void job_post(struct server *s, struct loop *worker, struct job *job, void (*work)(struct job *),
	      void (*finish)(struct job *))
{
	job->server = s;
	job->work = work;
	job->finish = finish;
	job->task.run = job_work;
	loop_post(worker, &job->task);
}

/* ---- leaving ---- */

/* The last job of each thread: whatever was on its way is home after it. */
static void work_nothing(struct job *job)
{
}

static void finish_last(struct job *job)
{
	struct server *s = job->server;

	free(job);
	if (--s->leaving == 0)
		loop_stop(s->loop);
}

static void post_last(struct server *s, struct loop *thread)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		abort(); /* nobody could wait for what is on its way */
	s->leaving++;
	job_post(s, thread, job, work_nothing, finish_last);
}

/*
 * The mount goes first, then every handle and channel, on their workers, while requests are still
 * served: a worker may be waiting for a look-up of its own.
 */
static void server_leave(struct server *s)
{
	struct worker *w;

	if (s->left)
		return;
	s->left = true;
	mount_leave(s);
	control_leave(s->control);
	snapshots_leave(s->snapshots);
	attach_leave(s);
	handle_detach_all(s);
	port_wait_leave(s);
	tee_leave(s);
	post_last(s, s->helper);
	for (unsigned i = 0; (w = engine_worker(s->engine, i)); i++)
		post_last(s, w->loop);
}

/* ---- events ---- */

static void fuse_ready(struct loop_io *io, int res)
{
	struct server *s = container_of(io, struct server, fuse_io);

	for (int i = 0; i < TURN_REQUESTS; i++) {
		int n = fuse_session_receive_buf(s->session, &s->buf);

		if (n == -EAGAIN || n == -EINTR)
			break;
		if (n <= 0) { /* the connection is gone */
			if (n < 0)
				log_err("reading /dev/fuse: %s", strerror(-n));
			s->detached = true;
			server_leave(s);
			return;
		}
		fuse_session_process_buf(s->session, &s->buf);
	}
	loop_io_poll(io, fuse_session_fd(s->session), POLLIN);
}

static void signal_ready(struct loop_io *io, int res)
{
	struct server *s = container_of(io, struct server, signal_io);
	struct signalfd_siginfo info;

	bool got = read(s->signals, &info, sizeof(info)) == sizeof(info);

	if (got && info.ssi_signo == SIGHUP) {
		reload_start(s, NULL, NULL);
	} else if (got) {
		log_info("signal %u: leaving %s", info.ssi_signo, s->mountpoint);
		server_leave(s);
	}
	loop_io_poll(io, s->signals, POLLIN);
}

static void mounts_changed(struct loop_io *io, int res)
{
	struct server *s = container_of(io, struct server, mount_io);

	if (!mount_exists(s->mounts, s->mount_id)) {
		log_info("%s is unmounted", s->mountpoint);
		s->detached = true;
		server_leave(s);
		return;
	}
	loop_io_poll(io, s->mounts, POLLPRI);
}

/* ---- starting ---- */

struct start_job {
	struct job job;
	int dir;
	struct stat st; /* of it */
	int err;
	int control; /* 0, or why there is no control socket */
};

/* Tells who started the daemon that the mount answers, and lets go of their terminal. */
static void detach(struct server *s)
{
	_cleanup_fd_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (write(s->ready, "", 1) != 1)
		log_err("cannot tell that the mount is ready: %m");
	fd_close(&s->ready);
	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

/* On the helper, because the FUSE thread has to answer the look-ups. */
static void work_start(struct job *job)
{
	struct start_job *j = container_of(job, struct start_job, job);

	j->dir = openat(job->server->tree, ".spfs/fifos", O_PATH | O_DIRECTORY | O_CLOEXEC);
	j->err = j->dir < 0 || fstat(j->dir, &j->st) < 0 ? -errno : 0;
	j->control = control_bind(job->server->control, job->server->tree);
}

/* Declared channels are there. */
static void finish_ready(void *data)
{
	struct server *s = data;

	if (s->ready >= 0)
		detach(s);
}

static void finish_start(struct job *job)
{
	struct start_job *j = container_of(job, struct start_job, job);
	struct server *s = job->server;
	const struct engine_events events = {
		.origin_opened = descriptor_scan_origin_opened, .port_ended = port_wait_tell, .happened = events_tell,
		.ring_opened = ring_opened, .data = s,
	};

	s->dir = j->dir;
	s->dev = j->st.st_dev;
	if (j->err < 0)
		log_err("the mount does not answer: %s", strerror(-j->err));
	else if ((j->err = engine_create(&s->engine, s->config->workers, s->dir, &events)) < 0)
		log_err("no worker threads: %s", strerror(-j->err));
	if (j->err < 0) {
		server_leave(s);
		return;
	}
	if (j->control < 0)
		log_warn("no control socket, so no 'spfs source', 'sink', 'ports': %s", strerror(-j->control));
	control_start(s->control);
	log_info("serving %s", s->mountpoint);
	declare_all(s, NULL, NULL, NULL, finish_ready, s);
}

static int check_place(struct server *s)
{
	int id = mount_find(s->mounts, s->mountpoint, FS_TYPE);
	struct stat st;

	if (id <= 0)
		return id;
	/* ECONNABORTED: it was killed while this was asked. */
	if (stat(s->mountpoint, &st) == 0 || (errno != ENOTCONN && errno != ECONNABORTED))
		return -EBUSY;
	log_info("%s: cleaning up after a daemon that was killed", s->mountpoint);
	return mount_clean(s->mountpoint);
}

static int start_nodes(struct server *s)
{
	struct stat st;
	int err;

	if (stat(s->mountpoint, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	err = node_table_init(&s->nodes, st.st_mode & 0777, st.st_uid, st.st_gid);
	if (err < 0)
		return err;
	s->admin = node_create(&s->nodes, NODE_DIR, NULL, S_IFDIR | 0755, geteuid(), getegid());
	s->numbers = node_create(&s->nodes, NODE_DIR, NULL, S_IFDIR | 0700, geteuid(), getegid());
	s->socket = node_create(&s->nodes, NODE_SOCKET, NULL, S_IFSOCK | 0666, geteuid(), getegid());
	if (!s->admin || !s->numbers || !s->socket)
		return -ENOMEM;
	s->admin->pins++;
	s->numbers->pins++;
	s->socket->pins++;
	s->socket->pending = true;
	s->socket->inode->names = 1;
	return files_create(s);
}

static int start_signals(struct server *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a sink's file that grows too large is EFBIG */
	s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->signals < 0 ? -errno : 0;
}

static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void shed_rights(void)
{
	int err = rights_shed();

	if (err < 0)
		log_warn("what is written for others looks like root's own: %s", strerror(-err));
}

static int start_session(struct server *s, struct fuse_args *args)
{
	int fd;

	s->session = fuse_session_new(args, &spfs_ops, sizeof(spfs_ops), s);
	if (!s->session)
		return -EINVAL;
	if (fuse_session_mount(s->session, s->mountpoint) < 0)
		return -EIO;
	s->mount_id = mount_find(s->mounts, s->mountpoint, FS_TYPE);
	if (s->mount_id <= 0)
		return -EIO;
	fd = fuse_session_fd(s->session);
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
}

/* libfuse's levels are syslog's, and its lines may come in pieces. */
static void log_fuse(enum fuse_log_level level, const char *fmt, va_list ap)
{
	static _Thread_local char line[1024];
	static _Thread_local size_t len;
	int n = vsnprintf(line + len, sizeof(line) - len, fmt, ap);

	len += n < 0 ? 0 : (size_t)n;
	if (len < sizeof(line) && (!len || line[len - 1] != '\n'))
		return;
	log_line((int)level, "%.*s", (int)strcspn(line, "\n"), line);
	len = 0;
}

static int start(struct server *s, struct fuse_args *args, const struct server_options *options)
{
	int err;

	clock_gettime(CLOCK_MONOTONIC, &s->started);
	raise_limits();
	fuse_set_log_func(log_fuse);
	s->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (s->mounts < 0)
		return -errno;
	s->mountpoint = strdup(options->config->point);
	if (!s->mountpoint)
		return -ENOMEM;
	err = rights_remember_view();
	if (err == 0)
		err = check_place(s);
	if (err == 0)
		err = start_nodes(s);
	if (err == 0)
		err = start_signals(s);
	if (err == 0)
		err = start_session(s, args);
	if (err == 0)
		err = mount_open_private(s);
	if (err == 0)
		shed_rights();
	if (err == 0)
		err = loop_create(&s->loop);
	if (err == 0)
		err = loop_create(&s->helper);
	if (err == 0)
		err = loop_start(s->helper, &s->helper_thread);
	s->helping = err == 0;
	if (err == 0)
		err = descriptor_scan_create(&s->scan, s);
	if (err == 0)
		err = collector_create(&s->collector, s);
	if (err == 0)
		err = snapshots_create(&s->snapshots, s);
	if (err == 0)
		err = control_create(&s->control, s);
	if (err == 0)
		err = ring_create(&s->rings, s);
	return err;
}

static void stop(struct server *s)
{
	engine_destroy(s->engine);
	if (s->helping) {
		loop_stop(s->helper);
		pthread_join(s->helper_thread, NULL);
	}
	loop_destroy(s->helper);
	collector_destroy(s->collector);
	descriptor_scan_destroy(s->scan);
	control_destroy(s->control);
	ring_destroy(s->rings);
	handle_free_all(s);
	fd_close(&s->dir);
	fd_close(&s->tree);
	if (s->session)
		fuse_session_destroy(s->session);
	loop_destroy(s->loop);
	node_table_finish(&s->nodes);
	snapshots_destroy(s->snapshots);
	accounts_finish(&s->accounts);
	config_unref(s->config);
	fd_close(&s->signals);
	fd_close(&s->mounts);
	fd_close(&s->unmounter);
	free(s->buf.mem);
	free(s->mountpoint);
}

int server_run(struct fuse_args *args, const struct server_options *options)
{
	struct server s = {
		.signals = -1, .mounts = -1, .tree = -1, .dir = -1, .unmounter = -1, .ready = options->ready,
		.config = config_ref(options->config), .defaults = options->config->defaults,
		.quotas = options->config->quotas,
	};
	struct start_job job = { .dir = -1 };
	int err = start(&s, args, options);

	if (err < 0) {
		log_err("%s: %s", options->config->point,
			err == -EBUSY ? "a daemon serves this mount point already" : strerror(-err));
		if (s.mount_id > 0)
			mount_leave(&s);
	} else {
		loop_io_init(&s.fuse_io, s.loop, fuse_ready);
		loop_io_init(&s.signal_io, s.loop, signal_ready);
		loop_io_init(&s.mount_io, s.loop, mounts_changed);
		loop_io_poll(&s.fuse_io, fuse_session_fd(s.session), POLLIN);
		loop_io_poll(&s.signal_io, s.signals, POLLIN);
		loop_io_poll(&s.mount_io, s.mounts, POLLPRI);
		job_post(&s, s.helper, &job.job, work_start, finish_start);
		err = loop_run(s.loop);
		if (err == 0)
			err = job.err;
	}
	stop(&s);
	return err;
}
