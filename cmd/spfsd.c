/* spfsd: parses its arguments, detaches, and serves one mount. */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <limits.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "background.h"
#include "base.h"
#include "configure.h"
#include "log.h"
#include "mount.h"
#include "programs.h"
#include "server.h"
#include "standard-fds.h"

#define WORKERS_UNSAID UINT_MAX
#define SPFSD_KEEPS (1 << 20) /* of memory that is free again, in bytes; the rest goes back to the system */

struct spfsd_arguments {
	int foreground;
	int debug;
	int help;
	int version;
	unsigned workers;
	char *log;
	char *config;
	int check; /* --check-config: the argument is the file */
	char *mountpoint;
	int allow_other; /* -1: it is not said */
	int auto_unmount;
	char *uid, *gid, *mode, *umask;
	char *programs; /* absolute once it is known */
	bool programs_said;
};

#define OPTION(template, field, value) \
	{ \
		template, offsetof(struct spfsd_arguments, field), value \
	}

static const struct fuse_opt spfsd_options[] = {
	OPTION("-f", foreground, 1),
	OPTION("-d", debug, 1),
	OPTION("debug", debug, 1),
	OPTION("-h", help, 1),
	OPTION("--help", help, 1),
	OPTION("-V", version, 1),
	OPTION("--version", version, 1),
	OPTION("--check-config", check, 1),
	OPTION("--config %s", config, 0),
	OPTION("-c %s", config, 0),
	OPTION("config=%s", config, 0),
	OPTION("workers=%u", workers, 0),
	OPTION("log=%s", log, 0),
	OPTION("allow_other", allow_other, 1),
	OPTION("noallow_other", allow_other, 0),
	OPTION("uid=%s", uid, 0),
	OPTION("gid=%s", gid, 0),
	OPTION("mode=%s", mode, 0),
	OPTION("umask=%s", umask, 0),
	OPTION("programs=%s", programs, 0),
	/* Not libfuse's: fusermount3(1) gives up where the kernel lets go of the connection only after the daemon's end. */
	OPTION("auto_unmount", auto_unmount, 1),
	/* What mount(8) and fstab(5) add, and nobody here needs. */
	FUSE_OPT_KEY("auto", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("noauto", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("user", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("nouser", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("users", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("_netdev", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("nofail", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("x-", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_END,
};

static int spfsd_take_argument(void *data, const char *arg, int key, struct fuse_args *out)
{
	struct spfsd_arguments *a = data;

	if (key == FUSE_OPT_KEY_OPT)
		return strncmp(arg, "x-", 2) ? 1 : 0;
	if (a->mountpoint) {
		fprintf(stderr,
			a->check ? "spfsd: one file, please: '%s' is too much\n" :
				   "spfsd: one mount point, please: '%s' is too much\n",
			arg);
		return -1;
	}
	a->mountpoint = strdup(arg);
	return a->mountpoint ? 0 : -1;
}

static void spfsd_usage(void)
{
	printf("usage: spfsd [options] [MOUNTPOINT]\n"
	       "       spfsd --check-config [FILE]\n"
	       "\n"
	       "Mounts a folder in which every file is a splice channel: a FIFO that each hard link\n"
	       "to it reads in full.\n"
	       "\n"
	       "    -f                 stay in the foreground, log to stderr\n"
	       "    -d, -o debug       foreground, with every request and stream in the log\n"
	       "    -h, --help         this help\n"
	       "    -V, --version      the versions of spfsd and libfuse\n"
	       "    -c, --config FILE  the configuration, spfs.conf(5) (default: " CONFIG_FILE "\n"
	       "                       where it exists); -o config=FILE\n"
	       "    --check-config     say what is wrong in FILE, or that it is right\n"
	       "    -o workers=N       threads for each user's channels (default: one a CPU, at most 4)\n"
	       "    -o log=FILE        log to FILE instead of syslog\n"
	       "    -o allow_other     let every user in (default for root)\n"
	       "    -o noallow_other   let only the mounting user in\n"
	       "    -o uid=, gid=USER  whose the root folder is (default: as the folder below)\n"
	       "    -o mode=MODE       its mode, octal; or what is taken off 0777, -o umask=MASK\n"
	       "    -o programs=FOLDER where the programs are that are ports, spfs-port(7)\n"
	       "    -o auto_unmount    unmount also where the daemon is killed\n"
	       "    -o OPT[,OPT...]    other mount options: ro, nosuid, fsname=NAME ...\n"
	       "\n"
	       "Unmount with umount(8) or fusermount3 -u, or end spfsd with SIGTERM.\n");
}

static int spfsd_add_mount_options(struct fuse_args *args, const struct spfsd_arguments *a, const struct config *config)
{
	if (fuse_opt_insert_arg(args, 1, "-odefault_permissions,fsname=spfs,subtype=spfs") < 0)
		return -1;
	if (config->allow_other && fuse_opt_insert_arg(args, 1, "-oallow_other") < 0)
		return -1;
	if (a->debug && fuse_opt_insert_arg(args, 1, "-odebug") < 0)
		return -1;
	return 0;
}

/* Where nobody has said it, it is looked at when one is to be started. */
static int spfsd_check_programs(const struct spfsd_arguments *a, const char *mountpoint)
{
	char why[URI_WHY_MAX];
	int err = a->programs_said ? programs_check(mountpoint, why) : 0;

	if (err < 0)
		log_err("%s", why);
	return err;
}

static int spfsd_serve(struct fuse_args *args, const struct spfsd_arguments *a, struct config *config)
{
	struct server_options server = { .config = config, .auto_unmount = a->auto_unmount, .ready = -1 };
	char *mountpoint = NULL;
	int err = mount_resolve(config->point, &mountpoint);

	if (err < 0) {
		log_err("%s: %s", config->point, strerror(-err));
		return err;
	}
	free(config->point);
	config->point = mountpoint;
	err = spfsd_check_programs(a, mountpoint);
	if (err < 0)
		return err;
	if (!a->foreground && !a->debug) {
		err = background_enter();
		if (err < 0) {
			log_err("cannot detach: %s", strerror(-err));
			return err;
		}
		server.ready = err;
		log_copy_to(server.ready);
	}
	return server_run(args, &server);
}

static int spfsd_run(struct fuse_args *args, const struct spfsd_arguments *a, struct config *config)
{
	/* stderr stays open until the mount answers, so that why it failed is seen by who started it. */
	int err = log_open("spfsd", a->foreground || a->debug ? LOG_DEBUG : LOG_WARNING, config->log);

	if (err < 0) {
		fprintf(stderr, "spfsd: %s: %s\n", config->log, strerror(-err));
		return err;
	}
	if (a->debug)
		log_set_level(LOG_DEBUG);
	log_defer();
	err = spfsd_serve(args, a, config);
	log_end();
	return err;
}

/* libfuse takes what is behind "--config", and so of "--config=FILE" the '=' too. */
static const char *spfsd_config_file(const struct spfsd_arguments *a)
{
	return a->config && *a->config == '=' ? a->config + 1 : a->config;
}

static int spfsd_start(struct fuse_args *args, const struct spfsd_arguments *a)
{
	const struct configure line = {
		.file = spfsd_config_file(a),
		.point = a->mountpoint,
		.log = a->log,
		.workers = a->workers,
		.allow_other = a->allow_other,
		.uid = a->uid,
		.gid = a->gid,
		.mode = a->mode,
		.umask = a->umask,
	};
	struct config *config = NULL;
	int err = configure(&line, &config);

	if (err < 0)
		return err;
	err = -EINVAL;
	if (!config->point)
		fprintf(stderr, "spfsd: where to? usage: spfsd [options] MOUNTPOINT (see spfsd -h)\n");
	else if (config->workers > CONFIG_WORKERS_MAX)
		fprintf(stderr, "spfsd: workers=%u: 1 to %d\n", config->workers, CONFIG_WORKERS_MAX);
	else if (spfsd_add_mount_options(args, a, config) == 0)
		err = spfsd_run(args, a, config);
	config_unref(config);
	return err;
}

/* Where it was installed, or built, is known by where the daemon is. Without memory, or /proc, there are no programs. */
static void spfsd_find_programs(struct spfsd_arguments *a)
{
	char self[PATH_MAX], *slash;
	ssize_t n = a->programs ? -1 : readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *full = NULL;

	if (a->programs) {
		a->programs_said = true;
		full = configure_absolute(a->programs);
		free(a->programs);
	} else if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (asprintf(&full, "%.*s/" SPFSD_PROGRAMS, (int)(slash - self), self) < 0)
			full = NULL;
	}
	a->programs = full;
	programs_in(full);
}

int main(int argc, char *argv[])
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct spfsd_arguments a = { .workers = WORKERS_UNSAID, .allow_other = -1 };
	int err = standard_fds_hold();

	if (err < 0) {
		fprintf(stderr, "spfsd: /dev/null: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	err = -EINVAL;
	mallopt(M_TRIM_THRESHOLD, SPFSD_KEEPS);
	if (fuse_opt_parse(&args, &a, spfsd_options, spfsd_take_argument) < 0)
		goto out;
	spfsd_find_programs(&a);
	if (a.help) {
		spfsd_usage();
		err = 0;
	} else if (a.version) {
		printf("spfsd %s, libfuse %s\n", SPFS_VERSION, fuse_pkgversion());
		err = 0;
	} else if (a.check) {
		err = configure_check(a.mountpoint ? a.mountpoint : spfsd_config_file(&a));
	} else if (a.workers == 0) {
		fprintf(stderr, "spfsd: workers=0: 1 to %d\n", CONFIG_WORKERS_MAX);
	} else {
		if (a.workers == WORKERS_UNSAID)
			a.workers = 0;
		err = spfsd_start(&args, &a);
	}
out:
	fuse_opt_free_args(&args);
	free(a.log);
	free(a.config);
	free(a.mountpoint);
	free(a.uid);
	free(a.gid);
	free(a.mode);
	free(a.umask);
	return err < 0; /* (openings that nobody waits for may still be in the folder of programs) */
}
