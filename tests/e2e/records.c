/*
 * records write ID COUNT SIZE: COUNT writes of SIZE bytes to stdout, each a whole record.
 * records check SIZE WRITERS COUNT: reads stdin; every record whole, of every writer all, in order.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct header {
	uint32_t writer;
	uint32_t number;
};

static unsigned char fill(const struct header *h, size_t i)
{
	return (unsigned char)(h->writer * 31 + h->number * 7 + i);
}

static int write_records(uint32_t writer, uint32_t count, size_t size)
{
	unsigned char *buf = malloc(size);
	struct header h = { .writer = writer };

	for (h.number = 0; buf && h.number < count; h.number++) {
		memcpy(buf, &h, sizeof(h));
		for (size_t i = sizeof(h); i < size; i++)
			buf[i] = fill(&h, i);
		if (write(STDOUT_FILENO, buf, size) != (ssize_t)size)
			return 1;
	}
	free(buf);
	return 0;
}

static int check_records(size_t size, uint32_t writers, uint32_t count)
{
	uint32_t *next = calloc(writers, sizeof(*next));
	unsigned char *buf = malloc(size);
	struct header h;
	size_t n;

	while (next && buf && (n = fread(buf, 1, size, stdin)) == size) {
		memcpy(&h, buf, sizeof(h));
		if (h.writer >= writers || h.number != next[h.writer]++) {
			fprintf(stderr, "record %u of writer %u is out of order\n", h.number, h.writer);
			return 1;
		}
		for (size_t i = sizeof(h); i < size; i++)
			if (buf[i] != fill(&h, i)) {
				fprintf(stderr, "record %u of writer %u is torn at %zu\n", h.number, h.writer, i);
				return 1;
			}
	}
	for (uint32_t w = 0; next && w < writers; w++)
		if (next[w] != count) {
			fprintf(stderr, "writer %u: %u records of %u\n", w, next[w], count);
			return 1;
		}
	free(next);
	free(buf);
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc == 5 && !strcmp(argv[1], "write"))
		return write_records((uint32_t)atol(argv[2]), (uint32_t)atol(argv[3]), (size_t)atol(argv[4]));
	if (argc == 5 && !strcmp(argv[1], "check"))
		return check_records((size_t)atol(argv[2]), (uint32_t)atol(argv[3]), (uint32_t)atol(argv[4]));
	fprintf(stderr, "usage: records write ID COUNT SIZE | check SIZE WRITERS COUNT\n");
	return 2;
}
