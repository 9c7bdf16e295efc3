/*
 * Sizes in bytes as people write and read them: whole numbers, with K, M, G or T (powers of 1024) behind them or
 * nothing. The only parser and the only printers.
 */
#pragma once

#include <stdint.h>

/* Room for whatever the printers write, and for the zero byte behind it. */
#define SIZE_TEXT_MAX 24

/*
 * Reads @text: decimal digits and at most one letter, large or small; no sign, no blanks, nothing behind it. Returns
 * 0, -EINVAL where it is no size, or -ERANGE where it is one above @max; *bytes is set with 0 alone.
 */
int size_parse(const char *text, uint64_t max, uint64_t *bytes);

/* Writes the shortest text that size_parse() reads as exactly @bytes: "0", "1M", "1536K", "1000". Returns @text. */
const char *size_print(char text[SIZE_TEXT_MAX], uint64_t bytes);

/*
 * Writes about @bytes in few characters, for people alone: "512", "1.5K", "20M", up to E; below zero or no number as
 * "0". Returns @text.
 */
const char *size_print_round(char text[SIZE_TEXT_MAX], double bytes);
