/* What the files of an attach share. */
#pragma once

#include "attach.h"

/* a->why is @why, or NULL: what @err is. Returns @err. */
int attach_refuse(struct attach *a, int err, const char *why);

/* attach-check.c: makes a->uri. Returns 0, or a negative errno with the reason in a->why. */
int attach_check(struct attach *a);
