/* spfs top without a screen. */
#pragma once

#include "top-model.h"

/* Prints @m as text. Returns 0 or -ENOMEM. */
int top_batch_print(const struct top_model *m);
