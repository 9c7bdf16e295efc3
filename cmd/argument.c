#include "argument.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "command.h"
#include "complaint.h"
#include "text.h"

/* argp has --help and -?, and people type -h. */
static error_t argument_parse_help(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case 'h':
		argp_state_help(state, state->out_stream, ARGP_HELP_STD_HELP);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What argp and getopt complain of has arguments in it as they are. They write whole lines, and each comes at once. */
static ssize_t argument_write_clean(void *cookie, const char *buf, size_t size)
{
	_cleanup_free_ char *text = strndup(buf, size);
	char *rest = text, *line;

	while (text && (line = strsep(&rest, "\n"))) {
		text_clean(line);
		if (dprintf(STDERR_FILENO, "%s%s", line, rest ? "\n" : "") < 0)
			return 0;
	}
	return (ssize_t)size;
}

/* NULL: out of memory. */
static FILE *argument_clean_stream(void)
{
	FILE *f = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = argument_write_clean });

	if (f)
		setvbuf(f, NULL, _IOLBF, 1 << 16);
	return f;
}

void argument_parse(const struct argp *argp, int argc, char *argv[], void *input)
{
	static const struct argp_option options[] = {
		{ NULL, 'h', NULL, 0, "Give this help list", -1 }, /* -1: where argp has its own */
		{ 0 },
	};
	const struct argp own = { .options = argp->options, .parser = argp->parser };
	const struct argp_child children[] = { { .argp = &own }, { 0 } };
	const struct argp whole = {
		.options = options,
		.parser = argument_parse_help,
		.args_doc = argp->args_doc,
		.doc = argp->doc,
		.children = children,
	};
	FILE *terminal = stderr;
	FILE *clean = argument_clean_stream();
	error_t err;

	if (clean)
		stderr = clean; /* glibc has a variable there */
	err = argp_parse(&whole, argc, argv, 0, NULL, input);
	stderr = terminal;
	if (clean)
		fclose(clean);
	if (err)
		exit(complaint_print_errno("arguments", -err));
}

int argument_read_seconds(const char *text, double min, double max, double *seconds)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || *end || !(n >= min && n <= max)) /* NaN is neither */
		return -EINVAL;
	*seconds = n;
	return 0;
}

double argument_seconds(const struct argp_state *state, const char *option, const char *text, double min, double max)
{
	double seconds = 0;

	if (argument_read_seconds(text, min, max, &seconds) < 0)
		argp_error(state, "%s=%s: %.10g to %.10g seconds", option, text, min, max);
	return seconds;
}

unsigned long argument_count(const struct argp_state *state, const char *option, const char *text, const char *what)
{
	char *end = NULL;
	unsigned long n;

	errno = 0;
	n = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
	if (n < 1 || *end || errno)
		argp_error(state, "%s=%s: how many %s, at least 1", option, text, what);
	return n;
}

long argument_port(const struct argp_state *state, const char *text)
{
	char *end;
	long id = strtol(text, &end, 10);

	if (end == text || *end || id < 1 || id > UINT_MAX || state->arg_num > 1)
		argp_error(state, "%s: a port's number, as 'spfs ports' shows", text);
	return id;
}

error_t argument_list_parse(int key, char *arg, struct argp_state *state)
{
	struct argument_list *list = state->input;

	switch (key) {
	case 'j':
		list->json = true;
		return 0;
	case ARGP_KEY_ARGS:
		list->names = state->argv + state->next;
		list->count = state->argc - state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}
