#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "pipe.h"
#include "queue.h"

#define CHUNK 300000

struct bench {
	struct queue q;
	struct pipe stage;
	struct pipe out;
	int null;
	char data[CHUNK];
	char got[4096];
};

static struct bench b;

static void start(void)
{
	faults_install();
	queue_init(&b.q);
	b.stage = b.out = PIPE_NONE;
	cr_assert_geq(pipe_open(&b.stage, PIPE_SIZE), CHUNK);
	cr_assert_geq(pipe_open(&b.out, PIPE_SIZE), CHUNK);
	b.null = open("/dev/null", O_WRONLY);
	for (size_t i = 0; i < CHUNK; i++)
		b.data[i] = (char)(i * 31 + i / 251);
}

static void stop(void)
{
	queue_finish(&b.q);
	pipe_close(&b.stage);
	pipe_close(&b.out);
	close(b.null);
}

TestSuite(queue, .init = start, .fini = stop, .timeout = 60);

/* Stages the data, appends it to the queue from @skip on, and clears the stage. */
static int append_staged(size_t skip)
{
	struct chunk chunk = { .stage = b.stage.rd, .len = CHUNK, .sink = b.null };
	int err;

	cr_assert_eq(write(b.stage.wr, b.data, CHUNK), CHUNK);
	cr_assert_gt(queue_reserve(&b.q), 0);
	err = queue_append(&b.q, &chunk, skip);
	cr_assert_eq(sys.splice(b.stage.rd, b.null, CHUNK), CHUNK);
	return err;
}

/* The queue holds the data from @from on, @times over, and nothing else. */
static void expect(size_t from, size_t times)
{
	size_t len = CHUNK - from, moved = 0;

	while (moved < len * times) {
		static char got[PIPE_SIZE];
		size_t n = 0;
		int err = queue_drain(&b.q, b.out.wr, SIZE_MAX, &n);
		ssize_t r = read(b.out.rd, got, sizeof(got));

		cr_assert(err == 0 || err == -EAGAIN, "drain: %s", strerror(-err));
		cr_assert_eq(r, (ssize_t)n);
		cr_assert_gt(r, 0);
		for (size_t i = 0; i < n; i++, moved++)
			cr_assert_eq(got[i], b.data[from + moved % len], "byte %zu", moved);
	}
	cr_assert_eq(moved, len * times);
	cr_assert_eq(b.q.bytes, 0);
}

Test(queue, gives_back_what_was_appended_by_reference)
{
	cr_assert_eq(append_staged(0), 0);
	cr_assert_eq(b.q.bytes, CHUNK);
	expect(0, 1);
}

Test(queue, skips_the_bytes_that_the_reader_has_already)
{
	cr_assert_eq(append_staged(12345), 0);
	expect(12345, 1);
}

Test(queue, appends_memory_from_the_byte_it_is_told)
{
	struct chunk chunk = { .stage = -1, .mem = b.data, .len = 4000, .sink = b.null };
	char got[4000];
	size_t moved = 0;

	cr_assert_gt(queue_reserve(&b.q), 0);
	cr_assert_eq(queue_append(&b.q, &chunk, 1500), 0);
	cr_assert_eq(queue_drain(&b.q, b.out.wr, SIZE_MAX, &moved), 0);
	cr_assert_eq(moved, 2500);
	cr_assert_eq(read(b.out.rd, got, sizeof(got)), 2500);
	cr_assert_eq(memcmp(got, b.data + 1500, 2500), 0);
}

Test(queue, is_full_at_its_depth_and_keeps_the_order)
{
	size_t chunks = 0;

	while (!queue_full(&b.q, 10 * PIPE_SIZE)) {
		cr_assert_eq(append_staged(0), 0);
		cr_assert_lt(++chunks, 40, "never full");
	}
	cr_assert_geq(b.q.bytes, 10 * PIPE_SIZE);
	cr_assert_lt(b.q.bytes, 10 * PIPE_SIZE + CHUNK);
	expect(0, chunks);
	cr_assert_not(queue_full(&b.q, 0), "without bytes it is never full");
}

Test(queue, is_full_of_pages_that_hold_few_bytes)
{
	char byte = 0;

	while (!queue_full(&b.q, PIPE_SIZE)) {
		struct chunk chunk = { .stage = b.stage.rd, .len = 1, .sink = b.null };

		/* A reference to a page of its own. */
		cr_assert_eq(write(b.stage.wr, &byte, 1), 1);
		cr_assert_gt(queue_reserve(&b.q), 0);
		cr_assert_eq(queue_append(&b.q, &chunk, 0), 0);
		cr_assert_eq(sys.splice(b.stage.rd, b.null, 1), 1);
		cr_assert_lt(b.q.bytes, 4096);
	}
	cr_assert_eq(b.q.capacity, 3 * PIPE_SIZE);
}

/* What a sink had in hand comes back in large pipes, whatever is in them. */
Test(queue, is_not_full_of_what_is_given_back)
{
	const size_t depth = PIPE_SIZE;

	for (int i = 0; i < 3; i++) {
		struct pipe pipe = PIPE_NONE;
		int size = pipe_open(&pipe, PIPE_SIZE);

		cr_assert_eq(size, PIPE_SIZE);
		cr_assert_eq(write(pipe.wr, b.data + (2 - i) * 1000, 1000), 1000);
		cr_assert_eq(queue_prepend(&b.q, &pipe, 1000, size), 0);
		cr_assert_not(queue_full(&b.q, depth), "full of %zu bytes", b.q.bytes);
	}
	cr_assert_eq(write(b.out.wr, b.data, 700), 700);
	cr_assert_eq(queue_take_back(&b.q, b.out.rd, PIPE_SIZE), 700);
	fault_resize = (struct fault){ .nth = 1, .count = 1000, .err = -EPERM }; /* from now on pipes are short */
	while (!queue_full(&b.q, depth)) {
		struct chunk chunk = { .stage = b.stage.rd, .len = 40000, .sink = b.null };

		cr_assert_eq(write(b.stage.wr, b.data, 40000), 40000);
		cr_assert_gt(queue_reserve(&b.q), 40000);
		cr_assert_eq(queue_append(&b.q, &chunk, 0), 0);
		cr_assert_eq(sys.splice(b.stage.rd, b.null, 40000), 40000);
	}
	cr_assert_geq(b.q.bytes, depth);
	fault_resize = (struct fault){ 0 };
	cr_assert_eq(queue_drain(&b.q, b.out.wr, 3700, &(size_t){ 0 }), 0);
	cr_assert_eq(read(b.out.rd, b.got, 3700), 3700);
	cr_assert_eq(memcmp(b.got, b.data, 700), 0);
	cr_assert_eq(memcmp(b.got + 700, b.data, 3000), 0);
}

/* What a small pipe was made for is not what the next chunk needs. */
Test(queue, makes_no_spare_one_of_a_pipe_that_was_given_back)
{
	struct pipe pipe = PIPE_NONE;
	int size = pipe_open(&pipe, PIPE_SIZE);

	cr_assert_eq(write(pipe.wr, b.data, 1000), 1000);
	cr_assert_eq(queue_prepend(&b.q, &pipe, 1000, size), 0);
	cr_assert_eq(queue_skip(&b.q, 1000, b.null), 0);
	cr_assert_eq(queue_reserve(&b.q), PIPE_SIZE);
}

Test(queue, duplicates_all_and_keeps_it)
{
	struct queue copy;
	size_t before;

	queue_init(&copy);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(append_staged(0), 0);
	before = b.q.bytes;
	fault_pipe = (struct fault){ .nth = 2, .count = 1, .err = -EMFILE };
	cr_assert_eq(queue_duplicate(&copy, &b.q), -EMFILE);
	cr_assert_eq(copy.bytes, 0);
	cr_assert_eq(queue_duplicate(&copy, &b.q), 0);
	cr_assert_eq(copy.bytes, before);
	cr_assert_eq(b.q.bytes, before);
	expect(0, 5);
	queue_finish(&b.q);
	cr_assert_eq(queue_duplicate(&b.q, &copy), 0);
	queue_finish(&copy);
	expect(0, 5);
}

Test(queue, duplicates_chunk_by_chunk)
{
	struct queue copy;
	ssize_t chunk;

	queue_init(&copy);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(append_staged(0), 0);
	cr_assert_eq(queue_duplicate(&copy, &b.q), 0);
	chunk = queue_drop(&copy, b.null);
	cr_assert_eq(chunk, (ssize_t)b.q.bytes / 5);
	cr_assert_eq(copy.bytes, b.q.bytes - (size_t)chunk);
	queue_finish(&copy);
}

Test(queue, duplicates_what_fits_where_the_kernel_grants_small_pipes)
{
	struct queue copy;

	queue_init(&copy);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(append_staged(0), 0);
	fault_resize = (struct fault){ .nth = 1, .count = 4, .err = -EPERM }; /* of the first link, down to 128 KiB */
	cr_assert_eq(queue_duplicate(&copy, &b.q), 0);
	cr_assert_gt(copy.bytes, CHUNK);
	cr_assert_lt(copy.bytes, b.q.bytes);
	cr_assert_eq(queue_skip(&copy, copy.bytes - CHUNK, b.null), 0);
	queue_finish(&b.q);
	cr_assert_eq(queue_duplicate(&b.q, &copy), 0);
	queue_finish(&copy);
	expect(0, 1);
}

Test(queue, loses_nothing_when_tee_comes_short_at_the_tail)
{
	cr_assert_eq(append_staged(0), 0);
	fault_tee = (struct fault){ .nth = 1, .count = 1, .err = FAULT_SHORT };
	cr_assert_eq(append_staged(0), 0);
	expect(0, 2);
}

Test(queue, loses_nothing_when_the_tail_takes_nothing)
{
	cr_assert_eq(append_staged(0), 0);
	fault_tee = (struct fault){ .nth = 1, .count = 1, .err = -EAGAIN };
	cr_assert_eq(append_staged(0), 0);
	expect(0, 2);
}

Test(queue, cannot_reserve_without_descriptors_and_keeps_what_it_has)
{
	cr_assert_eq(append_staged(0), 0);
	queue_rest(&b.q);
	fault_pipe = (struct fault){ .nth = 1, .count = 1, .err = -EMFILE };
	cr_assert_eq(queue_reserve(&b.q), -EMFILE);
	expect(0, 1);
	cr_assert_gt(queue_reserve(&b.q), 0);
}
