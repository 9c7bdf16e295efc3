/* What a command that shows channels is asked to show: the arguments of spfs stat and spfs ports. */
#pragma once

#include <argp.h>
#include <stdbool.h>

struct shown {
	bool json;       /* -j */
	char **channels; /* or folders */
	int count;
};

/* For struct argp, with a struct shown as its input. */
error_t shown_parse(int key, char *arg, struct argp_state *state);
