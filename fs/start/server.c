/* What the FUSE thread waits for: requests, signals, and changes of the mount table. */
#include "server-parts.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "abandon.h"
#include "base.h"
#include "clock.h"
#include "config.h"
#include "dump.h"
#include "log.h"
#include "log-limit.h"
#include "programs.h"
#include "reload.h"

/* Between two looks at the mount table, which has as many lines as users like, and changes as often. */
#define MOUNTS_PAUSE_NSEC 200000000

/* Requests served before signals and jobs have a turn. */
#define TURN_REQUESTS 32

static void server_requested(struct loop_io *io, int res)
{
	struct server *s = container_of(io, struct server, fuse_io);
	struct fuse_session *session = s->ctx.session;

	for (int i = 0; i < TURN_REQUESTS; i++) {
		int n = fuse_session_receive_buf(session, &s->buf);

		if (n == -EAGAIN || n == -EINTR)
			break;
		if (n <= 0) { /* the connection is gone; where it was aborted, the mount is not */
			if (n < 0)
				log_err("reading /dev/fuse: %s", strerror(-n));
			server_leave(s);
			return;
		}
		gate_pass(&s->gate, &s->buf);
	}
	loop_io_poll(io, fuse_session_fd(session), POLLIN);
}

static void server_signalled(struct loop_io *io, int res)
{
	struct server *s = container_of(io, struct server, signal_io);
	struct signalfd_siginfo info;
	bool got = read(s->signals, &info, sizeof(info)) == sizeof(info);

	if (got && info.ssi_signo == SIGUSR1) {
		dump_log(&s->ctx);
	} else if (got && info.ssi_signo == SIGHUP && !s->ctx.engine) {
		log_warn("no reload before the start is over");
	} else if (got && info.ssi_signo == SIGHUP) {
		reload_start(&s->ctx, NULL, NULL);
	} else if (got) {
		log_info("signal %u: leaving %s", info.ssi_signo, s->mount.point);
		server_leave(s);
	}
	loop_io_poll(io, s->signals, POLLIN);
}

static void server_mounts_changed(struct loop_io *io, int res)
{
	struct server *s = container_of(io, struct server, mount_io);

	if (!mount_exists(s->mount.mounts, &s->mount.id)) {
		log_info("%s is unmounted", s->mount.point);
		s->mount.detached = true;
		server_leave(s);
		return;
	}
	loop_io_timer(&s->mount_pause, MOUNTS_PAUSE_NSEC);
}

/* What has changed meanwhile is told at once. */
static void server_mounts_wait(struct loop_io *io, int res)
{
	struct server *s = container_of(io, struct server, mount_pause);

	loop_io_poll(&s->mount_io, s->mount.mounts, POLLPRI);
}

/* ---- what was left out of the log ---- */

static void server_log_due(struct loop_io *io, int res)
{
	log_flush();
}

static void server_log_wait(struct loop_task *task)
{
	struct server *s = container_of(task, struct server, log_task);

	atomic_store(&s->log_posted, false);
	loop_io_timer(&s->log_io, LOG_LIMIT_WAIT * NSEC_PER_SEC);
}

/* On any thread. */
static void server_log_left_out(void *data)
{
	struct server *s = data;

	if (!atomic_exchange(&s->log_posted, true))
		loop_post(s->ctx.loop, &s->log_task);
}

static int server_serve(struct server *s)
{
	struct loop *loop = s->ctx.loop;
	int err;

	loop_io_init(&s->fuse_io, loop, server_requested);
	loop_io_init(&s->signal_io, loop, server_signalled);
	loop_io_init(&s->mount_io, loop, server_mounts_changed);
	loop_io_init(&s->mount_pause, loop, server_mounts_wait);
	loop_io_init(&s->log_io, loop, server_log_due);
	s->log_task.run = server_log_wait;
	log_set_left_out(server_log_left_out, s);
	loop_io_poll(&s->fuse_io, fuse_session_fd(s->ctx.session), POLLIN);
	loop_io_poll(&s->signal_io, s->signals, POLLIN);
	loop_io_poll(&s->mount_io, s->mount.mounts, POLLPRI);
	server_go_on(s);
	err = loop_run(loop);
	log_set_left_out(NULL, NULL);
	log_flush();
	return err < 0 ? err : s->err;
}

int server_run(struct fuse_args *args, const struct server_options *options)
{
	struct config *config = options->config;
	struct server s = {
		.ctx = { .config = config_ref(config), .defaults = config->defaults, .quotas = config->quotas },
		.mount = MOUNT_NONE,
		.scout = SCOUT_NONE,
		.signals = -1,
		.dir = -1,
		.ready = options->ready,
	};
	int err = server_start(&s, args, options);

	if (err == 0) {
		err = server_serve(&s);
		if (s.abandons)
			server_abandon(&s);
	} else {
		log_err("%s: %s", config->point,
			err == -EBUSY ? "a daemon serves this mount point already" : strerror(-err));
		if (s.mount.id.id)
			mount_leave(&s.mount);
	}
	server_finish(&s);
	programs_end();
	abandon_tell_threads();
	return err;
}
