/* Text from others, as names are, made fit for a terminal. */
#pragma once

/*
 * @text in the locale's characters, with what does not print (control characters, bytes that are no character, marks
 * that turn the direction) as \xNN. Returns a new string, or NULL when out of memory.
 */
char *printable(const char *text);
