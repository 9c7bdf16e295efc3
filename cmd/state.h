/*
 * The state of a channel, a tap or a port, in the daemon's words (flow.h): the same in every command. What holds a writer
 * back is named, and for how long it does.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "samples.h"

#define STATE_TEXT_MAX 256

/* Whether somebody reads the channel's origin beside its taps. */
bool state_is_foreign(const struct sample *s);

/*
 * Of a channel, with that before it. What has moved since the sample before flows, whatever it waits for just now. Not fit for a
 * terminal yet.
 */
const char *state_of_channel(char text[STATE_TEXT_MAX], const struct sample *s);

/* Of its tap @tap. */
const char *state_of_tap(char text[STATE_TEXT_MAX], const struct sample *s, const json_t *tap);

/* Of its source or sink @port. */
const char *state_of_port(char text[STATE_TEXT_MAX], const json_t *port);
