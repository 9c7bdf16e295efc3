/* spfs: finds the subcommand and runs it. */
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
	&command_stat,
	&command_ls,
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

int main(int argc, char *argv[])
{
	char name[64];

	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return usage(stdout);
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version")) {
		printf("spfs %s\n", SPFS_VERSION);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i]->name))
			continue;
		snprintf(name, sizeof(name), "spfs %s", commands[i]->name);
		argv[1] = name;
		return commands[i]->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "spfs: there is no command '%s'\n\n", argv[1]);
	return usage(stderr);
}
