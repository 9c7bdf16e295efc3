/* Random appending, draining, dropping and giving back against a list of chunks in memory. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "pipe.h"
#include "queue.h"

/* Each byte tells the chunk it is of; a chunk is at most this long. */
#define CHUNK_MAX 200000
#define CHUNKS 100000

struct model {
	size_t sizes[CHUNKS]; /* what is left of each */
	size_t first, count;
};

static struct queue q;
static struct model m;
static struct pipe stage = { -1, -1 }, out = { -1, -1 };
static int null;

static void start(void)
{
	faults_install();
	queue_init(&q);
	cr_assert_eq(pipe_open(&stage, PIPE_SIZE), PIPE_SIZE);
	cr_assert_eq(pipe_open(&out, PIPE_SIZE), PIPE_SIZE);
	null = open("/dev/null", O_WRONLY);
}

static void stop(void)
{
	queue_finish(&q);
	pipe_close(&stage);
	pipe_close(&out);
	close(null);
}

TestSuite(queue_drop, .init = start, .fini = stop, .timeout = 60);

static char tag(size_t chunk)
{
	return (char)(chunk * 7 + 1);
}

/* The first chunk from @at on that is not gone. */
static size_t there(size_t at)
{
	while (at < m.count && m.sizes[at] == 0)
		at++;
	return at;
}

static void append(size_t len)
{
	static char data[CHUNK_MAX];
	struct chunk chunk = { .stage = stage.rd, .len = len, .sink = null };

	memset(data, tag(m.count), len);
	cr_assert_eq(write(stage.wr, data, len), (ssize_t)len);
	cr_assert_gt(queue_reserve(&q), 0);
	if (len < 4096) {
		chunk.stage = -1;
		chunk.mem = data;
	}
	cr_assert_eq(queue_append(&q, &chunk, 0), 0);
	cr_assert_eq(sys.splice(stage.rd, null, len), (ssize_t)len);
	m.sizes[m.count++] = len;
}

static void drain(size_t limit)
{
	static char got[PIPE_SIZE];
	size_t moved = 0;
	int err = queue_drain(&q, out.wr, limit, &moved);
	ssize_t n = moved ? read(out.rd, got, sizeof(got)) : 0;

	cr_assert(err == 0 || err == -EAGAIN);
	cr_assert_leq(moved, limit);
	cr_assert_eq(n, (ssize_t)moved);
	for (ssize_t i = 0; i < n; i++) {
		m.first = there(m.first);
		cr_assert_lt(m.first, m.count);
		cr_assert_eq(got[i], tag(m.first));
		m.sizes[m.first]--;
	}
}

/*
 * What is dropped is whole chunks: the oldest that have not begun, and do not share a page with one that has.
 */
static void drop(void)
{
	size_t lead = chunk_bounds_partial(&q.bounds), at = there(m.first);
	ssize_t n;

	if (lead) {
		cr_assert(lead <= 4096 || lead == m.sizes[at], "a chunk of which nobody has anything is kept");
		while (lead) {
			cr_assert_leq(m.sizes[at], lead);
			lead -= m.sizes[at];
			at = there(at + 1);
		}
	}
	n = queue_drop(&q, null);
	cr_assert_eq(n == 0, at == m.count);
	while (n > 0) {
		cr_assert_lt(at, m.count);
		cr_assert_geq((size_t)n, m.sizes[at], "a part of a chunk was dropped");
		n -= (ssize_t)m.sizes[at];
		m.sizes[at] = 0;
		at = there(at);
	}
}

static size_t held(void)
{
	size_t bytes = 0;

	for (size_t i = m.first; i < m.count; i++)
		bytes += m.sizes[i];
	return bytes;
}

Test(queue_drop, random_operations_lose_whole_chunks_only)
{
	const char *given = getenv("SPFS_SEED");
	unsigned seed = given ? (unsigned)atoi(given) : (unsigned)time(NULL);

	printf("SPFS_SEED=%u\n", seed);
	srand(seed);
	for (int i = 0; i < 3000; i++) {
		switch (rand() % 4) {
		case 0:
		case 1:
			append(rand() % 3 ? 1 + (size_t)rand() % 5000 : 1 + (size_t)rand() % CHUNK_MAX);
			break;
		case 2:
			drain((size_t)rand() % 100000);
			break;
		case 3:
			drop();
			break;
		}
		cr_assert_eq(q.bytes, held(), "SPFS_SEED=%u", seed);
	}
}
