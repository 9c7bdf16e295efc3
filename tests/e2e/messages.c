/*
 * messages write ID COUNT: COUNT writes of random sizes, 8 bytes to PIPE_BUF, to stdout.
 * messages read WRITERS COUNT: reads stdin to its end; each read(2) one message, of every writer all, in order.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct header {
	uint16_t writer;
	uint16_t size;
	uint32_t number;
};

static unsigned char fill(const struct header *h, size_t i)
{
	return (unsigned char)(h->writer * 31 + h->number * 7 + i);
}

static int write_messages(uint16_t writer, uint32_t count)
{
	unsigned seed = writer + 1;
	unsigned char buf[PIPE_BUF];
	struct header h = { .writer = writer };

	fprintf(stderr, "seed %u\n", seed);
	for (h.number = 0; h.number < count; h.number++) {
		h.size = (uint16_t)(sizeof(h) + (unsigned)rand_r(&seed) % (PIPE_BUF - sizeof(h) + 1));
		memcpy(buf, &h, sizeof(h));
		for (size_t i = sizeof(h); i < h.size; i++)
			buf[i] = fill(&h, i);
		if (write(STDOUT_FILENO, buf, h.size) != h.size) {
			perror("write");
			return 1;
		}
	}
	return 0;
}

static int torn(const struct header *h, ssize_t n, const char *how)
{
	fprintf(stderr, "message %u of writer %u, %u bytes: %s, read %zd\n", h->number, h->writer, h->size, how, n);
	return 1;
}

static int read_messages(uint16_t writers, uint32_t count)
{
	uint32_t *next = calloc(writers, sizeof(*next));
	unsigned char buf[2 * PIPE_BUF];
	struct header h;
	ssize_t n;

	while (next && (n = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		memcpy(&h, buf, sizeof(h));
		if (n < (ssize_t)sizeof(h) || h.size != n)
			return torn(&h, n, "not whole");
		if (h.writer >= writers || h.number != next[h.writer]++)
			return torn(&h, n, "out of order");
		for (size_t i = sizeof(h); i < h.size; i++)
			if (buf[i] != fill(&h, i))
				return torn(&h, n, "changed");
	}
	for (uint16_t w = 0; next && w < writers; w++)
		if (next[w] != count) {
			fprintf(stderr, "writer %u: %u messages of %u\n", w, next[w], count);
			return 1;
		}
	free(next);
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc == 4 && !strcmp(argv[1], "write"))
		return write_messages((uint16_t)atol(argv[2]), (uint32_t)atol(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "read"))
		return read_messages((uint16_t)atol(argv[2]), (uint32_t)atol(argv[3]));
	fprintf(stderr, "usage: messages write ID COUNT | read WRITERS COUNT\n");
	return 2;
}
