#include "bytes.h"

#include <stddef.h>
#include <stdio.h>

const char *bytes_text(char text[BYTES_TEXT], double bytes)
{
	static const char suffix[] = " KMGTPE";
	size_t i = 0;

	for (; bytes >= 1024 && suffix[i + 1]; i++)
		bytes /= 1024;
	if (i == 0)
		snprintf(text, BYTES_TEXT, "%.0f", bytes);
	else
		snprintf(text, BYTES_TEXT, bytes < 10 ? "%.1f%c" : "%.0f%c", bytes, suffix[i]);
	return text;
}
