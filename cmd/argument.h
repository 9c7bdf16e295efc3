/* The command lines of the subcommands: argp(3), with what several of them take. */
#pragma once

#include <argp.h>
#include <stdbool.h>

/*
 * As argp_parse(3), and knows -h. Ends the process where the line is not right (EXIT_USAGE), where help or the version
 * was asked for, and when out of memory.
 */
void argument_parse(const struct argp *argp, int argc, char *argv[], void *input);

/* Reads @text, @min to @max. Returns 0, or -EINVAL with *seconds as it was. */
int argument_read_seconds(const char *text, double min, double max, double *seconds);

/* The same for the value of @option, as "--interval". Ends the process where it is not right. */
double argument_seconds(const struct argp_state *state, const char *option, const char *text, double min, double max);

/* The value of @option, at least 1 and so many @what. Ends the process where it is not right. */
unsigned long argument_count(const struct argp_state *state, const char *option, const char *text, const char *what);

/* The second and last argument: the number of a port. Ends the process where it is not right. */
long argument_port(const struct argp_state *state, const char *text);

/* What a command is to show: the names at the end of its line, and -j. */
struct argument_list {
	bool json;
	char **names; /* of the command line */
	int count;
};

/* The parser of a struct argp that has a struct argument_list as its input. */
error_t argument_list_parse(int key, char *arg, struct argp_state *state);
