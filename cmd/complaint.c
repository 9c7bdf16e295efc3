#include "complaint.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

int complaint_print(const char *what, const char *why)
{
	char line[2 * PATH_MAX];

	text_format(line, sizeof(line), "%s: %s: %s", program_invocation_name, what, why);
	fprintf(stderr, "%s\n", line);
	return EXIT_FAILURE;
}

int complaint_print_errno(const char *what, int err)
{
	return complaint_print(what, strerror(-err));
}
