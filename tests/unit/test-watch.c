#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base.h"
#include "fixture.h"
#include "watch.h"

static struct fixture f;

struct watched {
	struct watch watch;
	int fd;
	uint32_t mask;
	int err;
	atomic_int calls;
	atomic_uint seen; /* every mask so far */
	atomic_int overflows;
	bool once;             /* removes itself when it is told */
	struct watched *other; /* removes this one after an overflow */
};

static struct watched a, b;

static void event(struct watch *watch, uint32_t mask)
{
	struct watched *w = container_of(watch, struct watched, watch);

	w->calls++;
	w->seen |= mask;
	w->overflows += mask == 0;
	if (w->once)
		watch_remove(watch);
	if (w->other && mask == 0)
		watch_remove(&w->other->watch);
}

static void call_add(void *arg)
{
	struct watched *w = arg;

	w->err = watch_add(&w->watch, &f.worker->watcher, w->fd, w->mask, event);
}

static void call_remove(void *arg)
{
	watch_remove(&((struct watched *)arg)->watch);
}

static void nothing(void *arg)
{
}

static void watch_node(struct watched *w, uint64_t id, uint32_t mask)
{
	fixture_fifo(&f, id);
	*w = (struct watched){ .fd = fixture_open(&f, id, O_PATH), .mask = mask };
	on_worker(&f, call_add, w);
	cr_assert_eq(w->err, 0);
}

static void start(void)
{
	fixture_start(&f);
	watch_node(&a, 1, IN_OPEN);
	watch_node(&b, 2, IN_OPEN);
}

static void stop(void)
{
	on_worker(&f, call_remove, &a);
	on_worker(&f, call_remove, &b);
	close(a.fd);
	close(b.fd);
	fixture_stop(&f);
}

TestSuite(watch, .init = start, .fini = stop, .timeout = 60);

static void wait_calls(struct watched *w, int calls)
{
	for (int i = 0; i < 500 && w->calls < calls; i++)
		poll(NULL, 0, 10);
	cr_assert_geq(w->calls, calls, "told %d times, not %d", w->calls, calls);
}

static void open_and_close(uint64_t id)
{
	close(fixture_open(&f, id, O_RDONLY));
}

/* What happened before this has been told once it returns: a later event of the same queue has been. */
static void settle(struct watched *other, uint64_t id)
{
	int calls = other->calls;

	open_and_close(id);
	wait_calls(other, calls + 1);
	on_worker(&f, nothing, NULL);
}

Test(watch, is_told_of_its_own_node_only)
{
	open_and_close(1);
	wait_calls(&a, 1);
	cr_assert_eq(a.seen, IN_OPEN);
	cr_assert_eq(b.calls, 0);
	settle(&b, 2);
	cr_assert_eq(a.calls, 1);
}

Test(watch, is_silent_once_removed)
{
	on_worker(&f, call_remove, &a);
	on_worker(&f, call_remove, &a);
	open_and_close(1);
	settle(&b, 2);
	cr_assert_eq(a.calls, 0);
}

Test(watch, can_be_added_again)
{
	for (int i = 0; i < 100; i++) {
		on_worker(&f, call_remove, &a);
		on_worker(&f, call_add, &a);
		cr_assert_eq(a.err, 0);
	}
	open_and_close(1);
	wait_calls(&a, 1);
}

Test(watch, may_remove_itself_when_it_is_told)
{
	a.once = true;
	open_and_close(1);
	wait_calls(&a, 1);
	open_and_close(1);
	settle(&b, 2);
	cr_assert_eq(a.calls, 1);
}

static void events_of_a_removed_one(void *arg)
{
	open_and_close(1);
	watch_remove(&a.watch);
}

Test(watch, does_not_hear_what_was_queued_before_its_removal)
{
	on_worker(&f, events_of_a_removed_one, NULL);
	settle(&b, 2);
	cr_assert_eq(a.calls, 0);
}

Test(watch, goes_on_after_its_node_was_removed)
{
	char name[FIFO_NAME_MAX];

	fifo_name(name, 1);
	cr_assert_eq(unlinkat(f.dir, name, 0), 0);
	close(a.fd);
	a.fd = -1;
	settle(&b, 2);
	cr_assert_eq(a.calls, 0);
}

/* While the worker is here it cannot read; like events next to each other would be one. */
static void too_many(void *arg)
{
	for (int i = 0; i < *(int *)arg; i++) {
		open_and_close(1);
		open_and_close(2);
	}
}

static void overflow(void)
{
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	int max = 0;

	cr_assert(file && fscanf(file, "%d", &max) == 1);
	fclose(file);
	on_worker(&f, too_many, &max);
}

Test(watch, tells_everybody_after_an_overflow)
{
	overflow();
	open_and_close(1);
	wait_calls(&a, 1);
	settle(&b, 2);
	cr_assert_eq(a.overflows, 1);
	cr_assert_eq(b.overflows, 1);
}

Test(watch, may_remove_others_after_an_overflow)
{
	struct watched c;

	a.other = &b;
	watch_node(&c, 3, IN_OPEN);
	overflow();
	settle(&c, 3);
	cr_expect_eq(a.overflows, 1);
	cr_expect_eq(b.overflows, 0);
	cr_expect_eq(c.overflows, 1);
	on_worker(&f, call_remove, &c);
	close(c.fd);
}

Test(watch, says_what_is_wrong)
{
	struct watched bad = { .fd = -1, .mask = IN_OPEN };

	on_worker(&f, call_add, &bad);
	cr_assert_eq(bad.err, -ENOENT);
	on_worker(&f, call_remove, &bad);
}

/* So one that comes to nothing, as where there is no thread for its loop, leaves nothing behind that needs a thread. */
Test(watch, that_never_was_is_closed_at_once)
{
	struct watcher w;
	int fd;

	watcher_init(&w, f.worker->loop);
	cr_assert_eq(watcher_open(&w), 0);
	fd = w.fd;
	watcher_finish(&w);
	cr_expect_eq(fcntl(fd, F_GETFD), -1);
	cr_expect_eq(w.fd, -1);
}
