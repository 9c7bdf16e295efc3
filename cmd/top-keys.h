/* The keys of spfs top, as in top(1) and htop(1). */
#pragma once

#include <stdbool.h>

#include "top-screen.h"

/* Seconds between two refreshes. */
#define TOP_DELAY_MIN 0.1
#define TOP_DELAY_MAX 3600

/* Does what the keys that have come say. Does not wait. Returns false: it is to end. */
bool top_keys_take(struct top_screen *s, struct top_model *m);

/* Fills the page with what is known of the chosen channel now. */
void top_keys_details(struct top_screen *s, const struct top_model *m);
