#include "printable.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Formatting characters that hide or reorder what stands beside them. */
static bool printable_deceives(wchar_t c)
{
	return (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff;
}

char *printable(const char *text)
{
	char *out = malloc(4 * strlen(text) + 1);
	char *to = out;
	mbstate_t state = { 0 };

	while (out && *text) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, strlen(text), &state);
		bool good = n != (size_t)-1 && n != (size_t)-2;

		if (good && iswprint((wint_t)c) && wcwidth(c) >= 0 && !printable_deceives(c)) {
			memcpy(to, text, n);
			to += n;
			text += n;
			continue;
		}
		if (!good) {
			n = 1;
			state = (mbstate_t){ 0 };
		}
		for (; n > 0; n--)
			to += sprintf(to, "\\x%02x", (unsigned char)*text++);
	}
	if (out)
		*to = '\0';
	return out;
}
