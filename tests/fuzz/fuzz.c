#include "fuzz.h"

#include <string.h>

#include "base.h"
#include "text.h"

char *fuzz_text(struct fuzz_input *in)
{
	char *text = malloc(in->left + 1);

	fuzz_check(text, "out of memory");
	if (in->left)
		memcpy(text, in->at, in->left);
	text[in->left] = '\0';
	in->left = 0;
	return text;
}

bool fuzz_is_clean(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);

	fuzz_check(copy, "out of memory");
	text_clean(copy);
	return !strcmp(copy, text);
}
