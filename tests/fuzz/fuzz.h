/*
 * What the targets of the fuzzer share. A target is one function, which is given any bytes and ends the process where
 * what it looks at does not hold: libFuzzer runs it (scripts/fuzz), and replay.c with the corpus (ctest).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The target. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what did not hold, and where, and aborts. */
#define fuzz_check(condition, ...) \
	do { \
		if (condition) \
			break; \
		fprintf(stderr, "%s:%d: does not hold: %s: ", __FILE__, __LINE__, #condition); \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr); \
		abort(); \
	} while (0)

/* What is left of the bytes. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* The next byte; 0 behind the last. */
static inline unsigned fuzz_byte(struct fuzz_input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

/* A number below @n, of two bytes. */
static inline unsigned fuzz_below(struct fuzz_input *in, unsigned n)
{
	unsigned high = fuzz_byte(in);

	return (high << 8 | fuzz_byte(in)) % n;
}

/* All that is left, as a text of exactly its size: a byte too far is seen. The caller frees it. */
char *fuzz_text(struct fuzz_input *in);

/* Whether @text is clean, as text.h says. */
bool fuzz_is_clean(const char *text);
