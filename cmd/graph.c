/* spfs graph: sources, channels, taps, sinks and readers, drawn by Graphviz. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argument.h"
#include "command.h"
#include "complaint.h"
#include "place.h"
#include "stats-file.h"
#include "topology.h"

extern char **environ;

struct graph_arguments {
	double interval;
	const char *format;
	const char *file; /* NULL: standard output */
	const char *mount;
};

static error_t graph_parse(int key, char *arg, struct argp_state *state)
{
	struct graph_arguments *a = state->input;

	switch (key) {
	case 'i':
		a->interval = argument_seconds(state, "--interval", arg, 0, 3600);
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

/* NULL, and said why. */
static json_t *graph_read_stats(const char *mount, const struct place *place)
{
	json_t *stats;
	int err = stats_file_read(place->root, &stats, NULL);

	if (err < 0)
		complaint_print(mount, place_reason(err));
	return stats;
}

/* The graph of the mount, or NULL, and said why. */
static char *graph_draw(const struct graph_arguments *a, const struct place *place)
{
	json_t *before = a->interval > 0 ? graph_read_stats(a->mount, place) : NULL, *now = NULL;
	char *text = NULL;

	if (before)
		stats_file_wait(a->interval);
	if (before || a->interval <= 0)
		now = graph_read_stats(a->mount, place);
	if (now) {
		text = topology_dot(now, before,
				    json_real_value(json_object_get(now, "uptime")) -
					    json_real_value(json_object_get(before, "uptime")));
		if (!text)
			complaint_print_errno("graph", -ENOMEM);
	}
	json_decref(before);
	json_decref(now);
	return text;
}

/* Writes all of @text. Returns 0 or a negative errno. */
static int graph_write(int fd, const char *text)
{
	for (size_t left = strlen(text); left > 0;) {
		ssize_t n = write(fd, text, left);

		if (n < 0)
			return -errno;
		text += n;
		left -= (size_t)n;
	}
	return 0;
}

/* Runs dot(1) from the one descriptor to the other. Returns 0 or a negative errno. */
static int graph_start_dot(const char *format, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	char option[64];
	char *argv[] = { "dot", option, NULL };
	int err;

	if ((size_t)snprintf(option, sizeof(option), "-T%s", format) >= sizeof(option))
		return -EINVAL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	err = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/* Returns the exit status. */
static int graph_convert(const char *format, const char *text, int out)
{
	int ends[2], status, err, written;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return complaint_print_errno("pipe", -errno);
	err = graph_start_dot(format, ends[0], out, &pid);
	close(ends[0]);
	if (err < 0) {
		close(ends[1]);
		return complaint_print(
			"dot",
			err != -ENOENT ?
				strerror(-err) :
				"not installed; it comes with Graphviz (apt install graphviz), and '-T dot' does without");
	}
	signal(SIGPIPE, SIG_IGN); /* where dot(1) ends early, its status says so */
	written = graph_write(ends[1], text);
	close(ends[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (written < 0 && written != -EPIPE)
		complaint_print_errno("dot", written);
	return written == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Returns the exit status. */
static int graph_output(const struct graph_arguments *a, const char *text)
{
	int out = a->file ? open(a->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : STDOUT_FILENO;
	const char *name = a->file ? a->file : "output";
	int status = EXIT_SUCCESS, err;

	if (out < 0)
		return complaint_print_errno(name, -errno);
	if (strcmp(a->format, "dot"))
		status = graph_convert(a->format, text, out);
	else if ((err = graph_write(out, text)) < 0)
		status = complaint_print_errno(name, err);
	if (a->file && close(out) < 0)
		status = complaint_print_errno(name, -errno);
	return status;
}

static int graph_run(int argc, char *argv[])
{
	static const struct argp_option options[] = {
		{ "format", 'T', "FORMAT", 0, "svg (default), png and what else dot(1) knows; dot: its source", 0 },
		{ "interval", 'i', "SECONDS", 0, "time over which rates are taken (default 1; 0: bytes, no rates)", 0 },
		{ "output", 'o', "FILE", 0, "write to FILE instead of standard output", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = graph_parse,
		.args_doc = "MOUNT",
		.doc = "Draw the sources, channels, taps, sinks and readers of a mount, with rates.\vMOUNT is the "
		       "mount point or anything in it. Only channels that you may read or write are shown.",
	};
	struct graph_arguments a = { .interval = 1, .format = "svg" };
	struct place place;
	char *text;
	int status, err;

	argument_parse(&argp, argc, argv, &a);
	err = place_find(&place, a.mount);
	if (err < 0)
		return complaint_print(a.mount, err == -EOPNOTSUPP ? "not a mount of spfs" : place_reason(err));
	text = graph_draw(&a, &place);
	if (!text)
		return EXIT_FAILURE;
	status = graph_output(&a, text);
	free(text);
	return status;
}

const struct command command_graph = { "graph", "draw what is connected with what, and the rates", graph_run };
