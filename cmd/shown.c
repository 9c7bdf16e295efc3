#include "shown.h"

error_t shown_parse(int key, char *arg, struct argp_state *state)
{
	struct shown *shown = state->input;

	switch (key) {
	case 'j':
		shown->json = true;
		return 0;
	case ARGP_KEY_ARGS:
		shown->channels = state->argv + state->next;
		shown->count = state->argc - state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}
