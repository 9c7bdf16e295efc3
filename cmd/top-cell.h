/* Text in a field of the terminal. */
#pragma once

#include <stdbool.h>

/*
 * Prints @text, made fit for a terminal, at the cursor in exactly @width cells, cut or filled up; @right: on the right.
 * What the locale cannot show is a '?'.
 */
void top_cell_print(const char *text, int width, bool right);
