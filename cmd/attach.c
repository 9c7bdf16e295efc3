/* spfs source, spfs sink: fills a channel from a file, socket or camera, or drains it into one. */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "control.h"
#include "place.h"
#include "progress.h"

struct arguments {
	const char *channel;
	char *uri;
	int fd; /* -1: a URI */
	bool wait;
	bool progress;
};

/* A port that is being attached. */
struct port {
	const char *who; /* "spfs source" */
	const char *what;
	struct place place;
	int control;
	json_int_t id;
};

enum { KEY_FD = 256 };

static const struct argp_option options[] = {
	{ "fd", KEY_FD, "N", 0, "hand over this open descriptor in place of a URI", 0 },
	{ "wait", 'w', NULL, 0, "end when the port has ended, with its result", 0 },
	{ "progress", 'p', NULL, 0, "show bytes, rate and, where the size is known, the time to go; waits too", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;
	long n;

	switch (key) {
	case KEY_FD:
		n = strtol(arg, &end, 10);
		if (end == arg || *end || n < 0 || n > 1 << 20)
			argp_error(state, "--fd=%s: the number of a descriptor", arg);
		a->fd = (int)n;
		return 0;
	case 'w':
		a->wait = true;
		return 0;
	case 'p':
		a->wait = a->progress = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			a->channel = arg;
		else if (state->arg_num == 1)
			a->uri = arg;
		else
			argp_usage(state);
		return 0;
	case ARGP_KEY_END:
		if (!a->channel || !a->uri == (a->fd < 0))
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Copies @path with what means something in a URI written as %XX. Returns the end. */
static char *escape(char *to, const char *path)
{
	for (; *path; path++)
		if (*path == '%' || *path == '?' || (unsigned char)*path <= ' ' || (unsigned char)*path >= 0x7f)
			to += sprintf(to, "%%%02X", (unsigned char)*path);
		else
			*to++ = *path;
	return to;
}

/* The URI for the daemon, whose working folder is another: a relative path becomes absolute. NULL: no memory. */
static char *absolute(const char *uri)
{
	static const char *const paths[] = { "file:", "unix:", "unix-listen:", "v4l2:" };
	char *here, *full = NULL, *end;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		size_t n = strlen(paths[i]);

		if (strncmp(uri, paths[i], n) || uri[n] == '/' || !uri[n] || uri[n] == '?')
			continue;
		here = getcwd(NULL, 0);
		full = here ? malloc(strlen(uri) + 3 * strlen(here) + 2) : NULL;
		if (full) {
			memcpy(full, uri, n);
			end = escape(full + n, here);
			*end++ = '/';
			strcpy(end, uri + n);
		}
		free(here);
		return full;
	}
	return strdup(uri);
}

static int complain(const struct port *p, const char *what, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", p->who, what, why);
	return EXIT_FAILURE;
}

/* Returns the exit status; p->id on success. */
static int attach(struct port *p, const struct arguments *a, const char *dir)
{
	bool passes = a->fd >= 0;
	char *uri = passes ? NULL : absolute(a->uri);
	json_t *request, *answer;
	int status = EXIT_SUCCESS;

	if (!passes && !uri)
		return complain(p, p->what, strerror(ENOMEM));
	request = json_pack("{ss ss ss ss*}", "op", "attach", "channel", place_inside(&p->place), "dir", dir, "uri", uri);
	answer = control_ask(p->control, request, a->fd);
	if (!answer)
		status = complain(p, p->what, control_reason(errno));
	else if (control_error(answer))
		status = complain(p, p->what, control_error(answer));
	p->id = json_integer_value(json_object_get(answer, "id"));
	json_decref(answer);
	free(uri);
	return status;
}

/* The port once it has ended, or as it is after @msec; below 0: however long it takes. NULL: complained. */
static json_t *ask(struct port *p, int msec)
{
	json_t *request = json_pack("{ss ss sI}", "op", "wait", "channel", place_inside(&p->place), "id", p->id);
	json_t *answer, *port;

	if (msec >= 0)
		json_object_set_new(request, "timeout", json_integer(msec));
	answer = control_ask(p->control, request, -1);
	port = json_incref(json_object_get(answer, "port"));
	if (!answer)
		complain(p, p->what, control_reason(errno));
	else if (!port)
		complain(p, p->what, control_error(answer));
	json_decref(answer);
	return port;
}

static bool ended(const json_t *port)
{
	const char *state = json_string_value(json_object_get(port, "state"));

	return !state || !strcmp(state, "done") || !strcmp(state, "failed");
}

static int wait_for(struct port *p, bool progress)
{
	struct progress bar;
	json_t *port;
	const char *error;

	if (progress)
		progress_start(&bar, p->what);
	while ((port = ask(p, progress && bar.terminal ? PROGRESS_MSEC : -1)) && !ended(port)) {
		progress_draw(&bar, port);
		json_decref(port);
	}
	if (!port)
		return EXIT_FAILURE;
	error = json_string_value(json_object_get(port, "error"));
	if (progress)
		progress_end(&bar, port, !error);
	if (error)
		complain(p, p->what, error);
	json_decref(port);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(int argc, char *argv[], const char *dir, const struct argp *argp)
{
	struct arguments a = { .fd = -1 };
	struct port p = { .who = argv[0], .control = -1 };
	char fd_text[32];
	int status, err;

	if (argp_parse(argp, argc, argv, 0, NULL, &a))
		return EXIT_FAILURE;
	snprintf(fd_text, sizeof(fd_text), "descriptor %d", a.fd);
	p.what = a.uri ? a.uri : fd_text;
	err = place_of(&p.place, a.channel);
	if (err)
		return complain(&p, a.channel, place_reason(err));
	p.control = control_connect(p.place.root);
	if (p.control < 0)
		return complain(&p, a.channel, control_reason(-p.control));
	status = attach(&p, &a, dir);
	if (status == EXIT_SUCCESS && a.wait)
		status = wait_for(&p, a.progress);
	else if (status == EXIT_SUCCESS)
		printf("%" JSON_INTEGER_FORMAT "\n", p.id);
	close(p.control);
	return status;
}

#define LATER \
	"Prints the port's number, for 'spfs ports' and 'spfs detach'. A relative PATH is taken from the working " \
	"folder; in a PATH write '?' as %3F and '%' as %25.\n\nInterrupted while it attaches, it takes that back; interrupted while it waits, the port goes on."

static int run_source(int argc, char *argv[])
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "CHANNEL URI\nCHANNEL --fd=N",
		.doc = "Fill CHANNEL from URI: file:PATH, tcp:HOST:PORT, tcp-listen:HOST:PORT, unix:PATH, "
		       "unix-listen:PATH, v4l2:DEVICE; for their options see spfsd(8).\v" LATER,
	};

	return run(argc, argv, "source", &argp);
}

static int run_sink(int argc, char *argv[])
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "CHANNEL URI\nCHANNEL --fd=N",
		.doc = "Drain CHANNEL, a channel or a tap of one, into URI: file:PATH, tcp:HOST:PORT, "
		       "tcp-listen:HOST:PORT, unix:PATH, unix-listen:PATH; for their options see spfsd(8).\v" LATER,
	};

	return run(argc, argv, "sink", &argp);
}

const struct command command_source = { "source", "fill a channel from a file, socket or camera", run_source };
const struct command command_sink = { "sink", "drain a channel into a file or socket", run_sink };
