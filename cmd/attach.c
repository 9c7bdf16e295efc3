/* spfs source, spfs sink: fills a channel from a file, socket or camera, or drains it into one. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argument.h"
#include "base.h"
#include "command.h"
#include "complaint.h"
#include "interrupt.h"
#include "kinds.h"
#include "port-report.h"
#include "progress.h"
#include "target.h"
#include "uri-option.h"

struct attach_arguments {
	const char *channel;
	char *uri;
	int fd; /* -1: a URI */
	bool wait;
	bool progress;
};

enum { ATTACH_KEY_FD = 256 };

static const struct argp_option attach_options[] = {
	{ "fd", ATTACH_KEY_FD, "N", 0, "hand over this open descriptor in place of a URI", 0 },
	{ "wait", 'w', NULL, 0, "end when the port has ended, with its result", 0 },
	{ "progress", 'p', NULL, 0, "show bytes, rate and, where the size is known, the time to go; waits too", 0 },
	{ 0 },
};

static error_t attach_parse(int key, char *arg, struct argp_state *state)
{
	struct attach_arguments *a = state->input;
	char *end;
	long n;

	switch (key) {
	case ATTACH_KEY_FD:
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

/*
 * Copies @path with what means something in a URI written as %XX. Where the time is a part of the path (@series), what begins
 * with a letter would be one of those, and stays as it is. Returns the end.
 */
static char *attach_escape(char *to, const char *path, bool series)
{
	for (; *path; path++)
		if (*path == '%' || *path == '?' || (unsigned char)*path <= ' ' ||
		    ((unsigned char)*path >= 0x7f && !(series && (unsigned char)*path >= 0xa0)))
			to += sprintf(to, "%%%02X", (unsigned char)*path);
		else
			*to++ = *path;
	return to;
}

/* The URI for the daemon, whose working folder is another: a relative path becomes absolute. NULL: no memory. */
static char *attach_absolute_uri(const char *uri)
{
	size_t n = strcspn(uri, ":");
	const struct port_kind *kind = uri[n] ? port_kind_find(uri, n) : NULL;
	char *here, *full, *end;

	n++;
	if (!kind || !kind->path || uri[n] == '/' || !uri[n] || uri[n] == '?')
		return strdup(uri);
	here = getcwd(NULL, 0);
	full = here ? malloc(strlen(uri) + 3 * strlen(here) + 2) : NULL;
	if (full) {
		memcpy(full, uri, n);
		end = attach_escape(full + n, here, strstr(uri, "rotate="));
		*end++ = '/';
		strcpy(end, uri + n);
	}
	free(here);
	return full;
}

/* The number of the port that is made; 0: none, and said why. */
static json_int_t attach_start_port(struct target *t, const struct attach_arguments *a, const char *dir)
{
	char *uri = a->fd < 0 ? attach_absolute_uri(a->uri) : NULL;
	json_t *request = target_request(t, "attach"), *answer;
	json_int_t id;

	if (a->fd < 0 && !uri) {
		complaint_print_errno(t->what, -ENOMEM);
		json_decref(request);
		return 0;
	}
	json_object_set_new(request, "dir", json_string(dir));
	if (uri && json_object_set_new(request, "uri", json_string(uri)) < 0) { /* not UTF-8 */
		json_decref(request);
		request = NULL;
	}
	answer = target_ask(t, request, a->fd);
	id = json_integer_value(json_object_get(answer, "id"));
	json_decref(answer);
	free(uri);
	return id;
}

/* The port once it has ended, or as it is after @msec; below 0: however long it takes. NULL: complained. */
static json_t *attach_ask_port(struct target *t, json_int_t id, int msec)
{
	json_t *request = target_request(t, "wait"), *answer, *port;

	json_object_set_new(request, "id", json_integer(id));
	if (msec >= 0)
		json_object_set_new(request, "timeout", json_integer(msec));
	answer = target_ask(t, request, -1);
	port = json_incref(json_object_get(answer, "port"));
	json_decref(answer);
	return port;
}

static bool attach_has_ended(const json_t *port)
{
	const char *state = json_string_value(json_object_get(port, "state"));

	return !state || !strcmp(state, port_state_name(PORT_DONE)) || !strcmp(state, port_state_name(PORT_FAILED));
}

/* Returns the exit status. */
static int attach_wait(struct target *t, json_int_t id, bool progress)
{
	struct progress bar;
	json_t *port;
	const char *error;

	if (progress)
		progress_start(&bar, t->what);
	while ((port = attach_ask_port(t, id, progress && bar.terminal ? PROGRESS_MSEC : -1)) &&
	       !attach_has_ended(port)) {
		progress_draw(&bar, port);
		json_decref(port);
	}
	if (!port)
		return EXIT_FAILURE;
	error = json_string_value(json_object_get(port, "error"));
	if (progress)
		progress_end(&bar, port, !error);
	if (error)
		complaint_print(t->what, error);
	json_decref(port);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Before anything here is opened, which might have the number; and not what standard_fds_hold() has put there. */
static bool attach_has_fd(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !(flags & O_PATH);
}

static int attach_run(int argc, char *argv[], const char *dir, const struct argp *argp)
{
	struct attach_arguments a = { .fd = -1 };
	int status = EXIT_FAILURE;
	char fd_text[32];
	struct target t;
	json_int_t id;

	argument_parse(argp, argc, argv, &a);
	snprintf(fd_text, sizeof(fd_text), "descriptor %d", a.fd);
	if (a.fd >= 0 && !attach_has_fd(a.fd))
		return complaint_print_errno(fd_text, -EBADF);
	if (target_open(&t, a.channel, TARGET_CHANNEL) < 0)
		return EXIT_FAILURE;
	t.what = a.uri ? a.uri : fd_text;
	id = attach_start_port(&t, &a, dir);
	if (id && a.wait) /* before anybody can know the number */
		interrupt_say("%s: interrupted; %s %" JSON_INTEGER_FORMAT
			      " goes on, and 'spfs detach %s %" JSON_INTEGER_FORMAT "' ends it",
			      program_invocation_name, dir, id, a.channel, id);
	if (id)
		status = printf("%" JSON_INTEGER_FORMAT "\n", id) < 0 || fflush(stdout) == EOF;
	if (id && a.wait)
		status |= attach_wait(&t, id, a.progress);
	target_close(&t);
	return status;
}

static const char attach_later[] =
	"Prints the port's number at once, for 'spfs ports' and 'spfs detach'. A relative PATH is taken from the working "
	"folder; in a PATH write '?' as %3F and '%' as %25.\n\nInterrupted while it attaches, it takes that back; "
	"interrupted while it waits, the port goes on, and it says so.";

/* The URIs that a port of @dir may have, one behind the other. NULL: out of memory. */
static char *attach_forms(enum port_dir dir)
{
	const struct port_kind *kind;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (unsigned i = 0; (kind = port_kind_at(i)); i++)
		if (kind->form && (kind->dirs & PORT_DIR_BIT(dir)))
			fprintf(f, "%s%s:%s", ftell(f) ? ", " : "", kind->name, kind->form);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static int attach_run_dir(int argc, char *argv[], enum port_dir dir, const char *what)
{
	_cleanup_free_ char *forms = attach_forms(dir), *doc = NULL;
	struct argp argp = {
		.options = attach_options,
		.parser = attach_parse,
		.args_doc = "CHANNEL URI\nCHANNEL --fd=N",
	};

	if (!forms || asprintf(&doc, "%s URI: %s, or of a program, spfs-port(7); for their options see spfsd(8).\v%s",
			       what, forms, attach_later) < 0)
		return complaint_print_errno("arguments", -ENOMEM);
	argp.doc = doc;
	return attach_run(argc, argv, dir == PORT_SOURCE ? "source" : "sink", &argp);
}

static int attach_run_source(int argc, char *argv[])
{
	return attach_run_dir(argc, argv, PORT_SOURCE, "Fill CHANNEL from");
}

static int attach_run_sink(int argc, char *argv[])
{
	return attach_run_dir(argc, argv, PORT_SINK, "Drain CHANNEL, a channel or a tap of one, into");
}

const struct command command_source = { "source", "fill a channel from a file, socket or camera", attach_run_source };
const struct command command_sink = { "sink", "drain a channel into a file or socket", attach_run_sink };
