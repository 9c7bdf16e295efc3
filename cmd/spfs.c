/* spfs: finds the subcommand and runs it. */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "complaint.h"
#include "output.h"
#include "standard-fds.h"

static const struct command *const spfs_commands[] = {
	&command_tee, &command_source, &command_sink,  &command_ports, &command_detach, &command_reopen,
	&command_set, &command_get,    &command_flush, &command_quota, &command_reload, &command_stat,
	&command_ls,  &command_graph,  &command_top,   &command_watch,
};

#define SPFS_COMMANDS (sizeof(spfs_commands) / sizeof(spfs_commands[0]))

/* Returns the exit status. */
static int spfs_help(FILE *to)
{
	fprintf(to, "usage: spfs COMMAND [ARGUMENTS]\n\nLooks at splice channels and wires them.\n\n");
	for (size_t i = 0; i < SPFS_COMMANDS; i++)
		fprintf(to, "    %-8s %s\n", spfs_commands[i]->name, spfs_commands[i]->summary);
	fprintf(to, "\n'spfs help COMMAND' says more, 'spfs version' which one this is; see also spfs(1), spfsd(8).\n");
	return to == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

static int spfs_version(void)
{
	puts(argp_program_version);
	return EXIT_SUCCESS;
}

/* At exit, wherever that is. What was printed has got where it should: a full disk is no success. */
static void spfs_close_output(void)
{
	if (!ferror(stdout) && fclose(stdout) == 0)
		return;
	fprintf(stderr, "spfs: output: %s\n", strerror(errno));
	_exit(EXIT_FAILURE);
}

/* @argv[0] is the command's name. */
static int spfs_run(int argc, char *argv[])
{
	static char name[64]; /* there until the end, for complaints */

	for (size_t i = 0; i < SPFS_COMMANDS; i++) {
		if (strcmp(argv[0], spfs_commands[i]->name))
			continue;
		snprintf(name, sizeof(name), "spfs %s", argv[0]);
		argv[0] = program_invocation_name = name;
		return spfs_commands[i]->run(argc, argv);
	}
	output_line(stderr, "spfs: there is no command '%s'", argv[0]);
	fputc('\n', stderr);
	return spfs_help(stderr);
}

static bool spfs_is(const char *arg, const char *letter, const char *option, const char *command)
{
	return !strcmp(arg, letter) || !strcmp(arg, option) || !strcmp(arg, command);
}

int main(int argc, char *argv[])
{
	int err = standard_fds_hold();

	if (err < 0)
		return complaint_print_errno("/dev/null", err);
	setlocale(LC_CTYPE, ""); /* names are shown as they are where the terminal can */
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version = "spfs " SPFS_VERSION;
	atexit(spfs_close_output);
	if (argc < 2)
		return spfs_help(stderr);
	if (spfs_is(argv[1], "-V", "--version", "version"))
		return spfs_version();
	if (!spfs_is(argv[1], "-h", "--help", "help"))
		return spfs_run(argc - 1, argv + 1);
	if (argc == 2)
		return spfs_help(stdout);
	return spfs_run(2, (char *[]){ argv[2], "--help", NULL });
}
