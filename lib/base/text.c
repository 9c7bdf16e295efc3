/*
 * The locale has no say here: the daemon writes for readers whose locale it does not know, and all of them read UTF-8.
 * Only well-formed UTF-8 (RFC 3629) counts as a character; an overlong form is how a control character would get past.
 */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both ends included. */
struct text_range {
	uint32_t first, last;
};

/* Unicode's categories Cc, Cf, Zl and Zp, as far as they act on a terminal or a reader; in order. */
static const struct text_range text_unfit[] = {
	{ 0x0000, 0x001f },   { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, /* soft hyphen: not to be seen */
	{ 0x061c, 0x061c },                                           /* Arabic letter mark: a direction */
	{ 0x180e, 0x180e },                                           /* Mongolian vowel separator: not to be seen */
	{ 0x200b, 0x200f },   { 0x2028, 0x202e },                     /* no width; lines; directions */
	{ 0x2060, 0x206f },                                           /* joiners; isolates of directions */
	{ 0xef80, 0xefff },                                           /* bytes that are not UTF-8, see below */
	{ 0xfeff, 0xfeff },   { 0xfff9, 0xfffb },                     /* byte order mark; annotations */
	{ 0xe0000, 0xe007f },                                         /* tags: letters that are not to be seen */
};

static bool text_is_fit(uint32_t code)
{
	for (size_t i = 0; i < sizeof(text_unfit) / sizeof(text_unfit[0]) && code >= text_unfit[i].first; i++)
		if (code <= text_unfit[i].last)
			return false;
	return true;
}

/* The bytes that the character beginning with @lead has; 0: none begins so. */
static size_t text_char_size(unsigned char lead)
{
	return lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
}

static bool text_is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Reads the character at @s, whose zero byte is no tail and so ends it in time. Returns its bytes; 0: it is none. */
static size_t text_decode(const unsigned char *s, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = text_char_size(*s);

	if (n < 2) {
		*code = *s;
		return n;
	}
	*code = *s & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (!text_is_tail(s[i]))
			return 0;
		*code = *code << 6 | (s[i] & 0x3fu);
	}
	return *code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff) ? 0 : n;
}

void text_clean(char *text)
{
	const char *from = text;

	while (*from) {
		uint32_t code;
		size_t n = text_decode((const unsigned char *)from, &code);

		if (n && text_is_fit(code)) {
			memmove(text, from, n);
			text += n;
		} else {
			*text++ = '?';
		}
		from += n ? n : 1;
	}
	*text = '\0';
}

/* ---- what must not get lost ---- */

/* Of a byte that is not UTF-8. */
#define BYTE_BASE 0xef00u
#define BYTE_SIZE 3

static bool text_is_byte(uint32_t code)
{
	return code >= BYTE_BASE + 0x80 && code <= BYTE_BASE + 0xff;
}

char *text_to_utf8(const char *bytes)
{
	char *text = malloc(strlen(bytes) * BYTE_SIZE + 1), *out = text;

	while (text && *bytes) {
		uint32_t code;
		size_t n = text_decode((const unsigned char *)bytes, &code);

		if (n && !text_is_byte(code)) {
			out = mempcpy(out, bytes, n);
			bytes += n;
			continue;
		}
		for (n = n ? n : 1; n; n--, bytes++) {
			code = BYTE_BASE + (unsigned char)*bytes;
			*out++ = (char)(0xe0 | code >> 12);
			*out++ = (char)(0x80 | (code >> 6 & 0x3f));
			*out++ = (char)(0x80 | (code & 0x3f));
		}
	}
	if (text)
		*out = '\0';
	return text;
}

void text_from_utf8(char *text)
{
	const char *from = text;

	while (*from) {
		uint32_t code;
		size_t n = text_decode((const unsigned char *)from, &code);

		if (n && text_is_byte(code)) {
			*text++ = (char)(code - BYTE_BASE);
		} else {
			n = n ? n : 1;
			memmove(text, from, n);
			text += n;
		}
		from += n;
	}
	*text = '\0';
}

size_t text_next(const char *text, char mark[TEXT_MARK_MAX])
{
	uint32_t code;
	size_t n = text_decode((const unsigned char *)text, &code);

	*mark = '\0';
	if (!n)
		snprintf(mark, TEXT_MARK_MAX, "\\x%02x", (unsigned char)*text);
	else if (text_is_byte(code))
		snprintf(mark, TEXT_MARK_MAX, "\\x%02x", code - BYTE_BASE);
	else if (!text_is_fit(code))
		snprintf(mark, TEXT_MARK_MAX, code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
	return n ? n : 1;
}

/* One of JSON's, which are of UTF-16. */
static char *text_escape(char *out, uint32_t code)
{
	if (code < 0x10000)
		return out + sprintf(out, "\\u%04x", code);
	code -= 0x10000;
	return out + sprintf(out, "\\u%04x\\u%04x", 0xd800 | code >> 10, 0xdc00 | (code & 0x3ff));
}

char *text_json(const char *dump)
{
	/* A control character, such as DEL, is one byte, and six when escaped. */
	char *text = malloc(strlen(dump) * 6 + 1), *out = text;

	while (text && *dump) {
		uint32_t code;
		size_t n = text_decode((const unsigned char *)dump, &code);

		if (!n)
			*out++ = '?';                        /* never */
		else if (text_is_fit(code) || *dump == '\n') /* between values: within one it is escaped */
			out = mempcpy(out, dump, n);
		else
			out = text_escape(out, code);
		dump += n ? n : 1;
	}
	if (text)
		*out = '\0';
	return text;
}

/* The length of @text, @len bytes, without a character that has lost its end. */
static size_t text_whole(const char *text, size_t len)
{
	size_t lead = len;

	while (lead && len - lead < 3 && text_is_tail((unsigned char)text[lead - 1]))
		lead--;
	return lead && text_char_size((unsigned char)text[lead - 1]) > len - lead + 1 ? lead - 1 : len;
}

void text_shorten(char *text, size_t max)
{
	size_t len = strlen(text), head, tail, n;
	char mark[40];

	if (len <= max)
		return;
	head = text_whole(text, max * 2 / 3);
	n = (size_t)snprintf(mark, sizeof(mark), "[... %zu bytes ...]", len); /* at least as long as in the end */
	tail = len - (max - head - n);
	while (text_is_tail((unsigned char)text[tail]))
		tail++;
	n = (size_t)snprintf(mark, sizeof(mark), "[... %zu bytes ...]", tail - head);
	memcpy(text + head, mark, n);
	memmove(text + head + n, text + tail, len - tail + 1);
}

size_t text_vformat(char *out, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, size, fmt, ap);

	if (n < 0)
		*out = '\0';
	else if ((size_t)n >= size)
		out[text_whole(out, size - 1)] = '\0';
	text_clean(out);
	return strlen(out);
}

size_t text_format(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	len = text_vformat(out, size, fmt, ap);
	va_end(ap);
	return len;
}

char *text_vprint(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		return NULL;
	text_clean(text);
	return text;
}
