/*
 * Names are any bytes. Cleaned, they are fit for a terminal; made UTF-8, they come back as they were; and what JSON says of
 * them means the same once it is fit for a terminal.
 */
#include "fuzz.h"

#include <jansson.h>
#include <string.h>

#include "base.h"
#include "text.h"

#define SHORTEN_MIN 64

static void text_try_clean(const char *text)
{
	_cleanup_free_ char *clean = strdup(text);

	fuzz_check(clean, "out of memory");
	text_clean(clean);
	fuzz_check(strlen(clean) <= strlen(text), "longer");
	fuzz_check(fuzz_is_clean(clean), "not clean: %s", clean);
	for (const char *c = clean; *c; c++)
		fuzz_check((unsigned char)*c >= ' ' && *c != 0x7f, "a control character");
}

static void text_try_shorten(const char *text, size_t max)
{
	_cleanup_free_ char *less = strdup(text);

	fuzz_check(less, "out of memory");
	text_clean(less);
	text_shorten(less, max);
	fuzz_check(strlen(less) <= max, "%zu bytes, not %zu", strlen(less), max);
	fuzz_check(fuzz_is_clean(less), "cut so that it is not clean: %s", less);
}

static void text_try_marks(const char *text)
{
	char mark[TEXT_MARK_MAX];
	const char *end = text + strlen(text);

	while (text < end) {
		size_t n = text_next(text, mark);

		fuzz_check(n && n <= (size_t)(end - text), "%zu bytes of %zu", n, (size_t)(end - text));
		fuzz_check(strlen(mark) < TEXT_MARK_MAX && fuzz_is_clean(mark), "mark '%s'", mark);
		text += n;
	}
}

static void text_try_json(const char *utf8)
{
	json_t *string = json_string(utf8), *again;
	_cleanup_free_ char *dump = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
	_cleanup_free_ char *fit = dump ? text_json(dump) : NULL;

	fuzz_check(fit, "no JSON of it");
	fuzz_check(fuzz_is_clean(fit), "not fit: %s", fit);
	again = json_loads(fit, JSON_DECODE_ANY, NULL);
	fuzz_check(again && json_equal(string, again), "it means something else: %s", fit);
	json_decref(string);
	json_decref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t max = SHORTEN_MIN + fuzz_byte(&in);
	_cleanup_free_ char *text = fuzz_text(&in), *utf8 = text_to_utf8(text), *again = utf8 ? strdup(utf8) : NULL;

	fuzz_check(again, "out of memory");
	text_from_utf8(again);
	fuzz_check(!strcmp(text, again), "it comes back as something else");
	text_try_json(utf8);
	text_try_clean(text);
	text_try_shorten(text, max);
	text_try_marks(text);
	return 0;
}
