#include "complaint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "printable.h"

int complaint_print(const char *what, const char *why)
{
	char *clean = printable(what), *reason = printable(why);

	fprintf(stderr, "%s: %s: %s\n", program_invocation_name, clean ? clean : "?", reason ? reason : "?");
	free(clean);
	free(reason);
	return EXIT_FAILURE;
}

int complaint_print_errno(const char *what, int err)
{
	return complaint_print(what, strerror(-err));
}
