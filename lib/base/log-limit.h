/*
 * How many lines of the log one user can cause. Lines are counted by user and *kind*, which is their format: one place in
 * the code. Each has a burst, and then as many as time gives back; what is more is left out, and told of later by one line
 * with their number.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Lines at once of a user's one kind, and of all kinds of a user; and seconds until one more. */
#define LOG_KIND_LINES 50
#define LOG_KIND_SECONDS 2
#define LOG_USER_LINES 200
#define LOG_USER_SECONDS 1

/*
 * Whether @line, of @kind, which is a constant, may be written now; else it is counted, and *first says whether nothing
 * was left out before. Any thread.
 */
bool log_limit_pass(uid_t user, const char *kind, const char *line, bool *first);

/*
 * One that is due of what was left out: *text, to be freed, is what to write instead of it. @all: also what is not due yet.
 * Returns false where there is none. Any thread.
 */
bool log_limit_told(bool all, char **text);

/* What was left out waits for so long, in seconds, for more like it. */
#define LOG_LIMIT_WAIT 10
