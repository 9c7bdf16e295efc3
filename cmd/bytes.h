/* Bytes as people read them. */
#pragma once

#define BYTES_TEXT 16

/* @bytes with a binary suffix: 512, 1.5K, 20M. Returns @text. */
const char *bytes_text(char text[BYTES_TEXT], double bytes);
