/* What a command has to complain of: one line on standard error, in one form. */
#pragma once

/* Says "spfs ls: WHAT: WHY", each made fit for a terminal. Returns EXIT_FAILURE, for what ends with it. */
int complaint_print(const char *what, const char *why);

/* The same with the reason for @err, a negative errno. */
int complaint_print_errno(const char *what, int err);
