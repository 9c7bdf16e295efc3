/* spfs graph: sources, channels, taps, sinks and readers, drawn by Graphviz. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "place.h"
#include "topology.h"

extern char **environ;

struct arguments {
	double interval;
	const char *format;
	const char *file; /* NULL: standard output */
	const char *mount;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;

	switch (key) {
	case 'i':
		a->interval = strtod(arg, &end);
		if (end == arg || *end || !(a->interval >= 0 && a->interval <= 3600))
			argp_error(state, "--interval=%s: 0 to 3600 seconds", arg);
		return 0;
	case 'T':
		if (!*arg)
			argp_error(state, "--format=: svg, png and what else dot(1) knows; dot: its source");
		a->format = arg;
		return 0;
	case 'o':
		a->file = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			return ARGP_ERR_UNKNOWN;
		a->mount = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static json_t *read_stats(const char *who, const struct place *place)
{
	char path[PATH_MAX + sizeof("/.spfs/stats.json")];
	json_error_t error;
	json_t *stats;
	FILE *in;

	snprintf(path, sizeof(path), "%s/.spfs/stats.json", place->root);
	in = fopen(path, "re");
	if (!in) {
		fprintf(stderr, "%s: %s: %s\n", who, place->path,
			errno == ENOENT || errno == ENOTDIR ? "not a mount of spfs" : place_reason(errno));
		return NULL;
	}
	stats = json_loadf(in, 0, &error);
	if (!stats)
		fprintf(stderr, "%s: %s: %s\n", who, path, error.text);
	fclose(in);
	return stats;
}

/* The graph of the mount, or NULL, and said why. */
static char *draw(const char *who, const struct arguments *a, const struct place *place)
{
	struct timespec pause = {
		.tv_sec = (time_t)a->interval, .tv_nsec = (long)((a->interval - (double)(time_t)a->interval) * 1e9),
	};
	json_t *before = a->interval > 0 ? read_stats(who, place) : NULL, *now = NULL;
	char *text = NULL;

	if (before || a->interval <= 0) {
		nanosleep(&pause, NULL);
		now = read_stats(who, place);
	}
	if (now) {
		text = topology_dot(now, before, json_real_value(json_object_get(now, "uptime")) -
							 json_real_value(json_object_get(before, "uptime")));
		if (!text)
			fprintf(stderr, "%s: %s\n", who, strerror(ENOMEM));
	}
	json_decref(before);
	json_decref(now);
	return text;
}

/* Writes all of @text. Returns 0 or a positive errno. */
static int write_all(int fd, const char *text)
{
	for (size_t left = strlen(text); left > 0;) {
		ssize_t n = write(fd, text, left);

		if (n < 0)
			return errno;
		text += n;
		left -= (size_t)n;
	}
	return 0;
}

/* Runs dot(1) from the one descriptor to the other. Returns 0 or a positive errno. */
static int start_dot(const char *format, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	char option[64];
	char *argv[] = { "dot", option, NULL };
	int err;

	if ((size_t)snprintf(option, sizeof(option), "-T%s", format) >= sizeof(option))
		return EINVAL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	err = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

/* Returns the exit status. */
static int convert(const char *who, const char *format, const char *text, int out)
{
	int ends[2], status, err, written;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		fprintf(stderr, "%s: pipe: %s\n", who, strerror(errno));
		return EXIT_FAILURE;
	}
	err = start_dot(format, ends[0], out, &pid);
	close(ends[0]);
	if (err) {
		close(ends[1]);
		fprintf(stderr, "%s: dot: %s\n", who, err == ENOENT ? "not installed; it comes with Graphviz "
			"(apt install graphviz), and '-T dot' does without" : strerror(err));
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	written = write_all(ends[1], text);
	close(ends[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (written && written != EPIPE)
		fprintf(stderr, "%s: dot: %s\n", who, strerror(written));
	return !written && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int output(const char *who, const struct arguments *a, const char *text)
{
	int out = a->file ? open(a->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : STDOUT_FILENO;
	int status = EXIT_SUCCESS;

	if (out >= 0 && strcmp(a->format, "dot"))
		status = convert(who, a->format, text, out);
	else if (out < 0 || (errno = write_all(out, text))) {
		fprintf(stderr, "%s: %s: %s\n", who, a->file ? a->file : "output", strerror(errno));
		status = EXIT_FAILURE;
	}
	if (a->file && out >= 0 && close(out) < 0) {
		fprintf(stderr, "%s: %s: %s\n", who, a->file, strerror(errno));
		status = EXIT_FAILURE;
	}
	return status;
}

static int run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "format", 'T', "FORMAT", 0, "svg (default), png and what else dot(1) knows; dot: its source", 0 },
		{ "interval", 'i', "SECONDS", 0, "time over which rates are taken (default 1; 0: bytes, no rates)", 0 },
		{ "output", 'o', "FILE", 0, "write to FILE instead of standard output", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "MOUNT",
		.doc = "Draw the sources, channels, taps, sinks and readers of a mount, with rates.\vMOUNT is the "
		       "mount point or anything in it. Only channels that you may read or write are shown.",
	};
	struct arguments a = { .interval = 1, .format = "svg" };
	struct place place;
	char *text;
	int status, err;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	err = place_of(&place, a.mount);
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], a.mount, place_reason(err));
		return EXIT_FAILURE;
	}
	text = draw(argv[0], &a, &place);
	if (!text)
		return EXIT_FAILURE;
	status = output(argv[0], &a, text);
	free(text);
	return status;
}

const struct command command_graph = { "graph", "draw what is connected with what, and the rates", run };
