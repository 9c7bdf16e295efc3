/* The daemon's configuration: the file, and in front of it what the command line says. */
#pragma once

#include "config.h"

/* What the command line says; NULL, 0 and -1 where it does not. */
struct configure {
	const char *file;
	const char *point;
	const char *log;
	unsigned workers;
	int allow_other;
	const char *uid, *gid, *mode, *umask; /* of the root folder */
};

/*
 * Reads the file, or CONFIG_FILE if there is one, and puts the command line in front. Mistakes are printed to stderr.
 * Returns 0, or -1.
 */
int configure(const struct configure *line, struct config **config);

/* The caller frees it. NULL: out of memory. */
char *configure_absolute(const char *path);

/* Checks @file, NULL: CONFIG_FILE. Prints the mistakes, or that there are none. Returns 0, or -1. */
int configure_check(const char *file);
