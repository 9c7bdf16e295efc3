/* spfs: finds the subcommand and runs it. */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const struct command *const commands[] = {
	&command_tee,
	&command_source,
	&command_sink,
	&command_ports,
	&command_detach,
	&command_set,
	&command_get,
	&command_quota,
	&command_reload,
	&command_stat,
	&command_ls,
	&command_graph,
	&command_top,
	&command_watch,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *to)
{
	fprintf(to, "usage: spfs COMMAND [ARGUMENTS]\n\nLooks at splice channels and wires them.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "    %-8s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(to, "\n'spfs COMMAND --help' says more; see also spfs(1) and spfsd(8).\n");
	return to == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What was printed has got where it should: a full disk is no success. */
static int close_output(int status)
{
	if (!ferror(stdout) && fclose(stdout) == 0)
		return status;
	fprintf(stderr, "spfs: output: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	char name[64];

	setlocale(LC_CTYPE, ""); /* names are shown as they are where the terminal can */
	argp_err_exit_status = EXIT_FAILURE;
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return close_output(usage(stdout));
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version")) {
		printf("spfs %s\n", SPFS_VERSION);
		return close_output(EXIT_SUCCESS);
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i]->name))
			continue;
		snprintf(name, sizeof(name), "spfs %s", commands[i]->name);
		argv[1] = name;
		return close_output(commands[i]->run(argc - 1, argv + 1));
	}
	fprintf(stderr, "spfs: there is no command '%s'\n\n", argv[1]);
	return usage(stderr);
}
