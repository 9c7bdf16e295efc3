/* A subcommand of spfs: one file each, listed in spfs.c. */
#pragma once

/* The command line is not right. */
#define EXIT_USAGE 2

struct command {
	const char *name;
	const char *summary;
	/* @argv[0] is "spfs NAME". Returns the exit status: EXIT_SUCCESS, EXIT_FAILURE or EXIT_USAGE. */
	int (*run)(int argc, char *argv[]);
};

extern const struct command command_tee;
extern const struct command command_source;
extern const struct command command_sink;
extern const struct command command_ports;
extern const struct command command_detach;
extern const struct command command_reopen;
extern const struct command command_set;
extern const struct command command_get;
extern const struct command command_flush;
extern const struct command command_quota;
extern const struct command command_reload;
extern const struct command command_stat;
extern const struct command command_ls;
extern const struct command command_graph;
extern const struct command command_top;
extern const struct command command_watch;
