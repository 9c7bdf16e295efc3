#include "bounce.h"

#include <errno.h>
#include <sys/mman.h>

#include "sys.h"

int bounce_ready(struct bounce *b, size_t size)
{
	void *map;

	if (b->buf)
		return 0;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;
	*b = (struct bounce){ .buf = map, .size = size };
	return 0;
}

ssize_t bounce_give(struct bounce *b, int fd)
{
	ssize_t n = sys.write(fd, b->buf + b->at, b->len);

	if (n > 0) {
		b->at += (size_t)n;
		b->len -= (size_t)n;
	}
	return n;
}

void bounce_finish(struct bounce *b)
{
	if (b->buf)
		munmap(b->buf, b->size);
	*b = (struct bounce){ 0 };
}
