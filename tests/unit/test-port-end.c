/* The end of ports whose descriptor takes its time to close: a kind of the test's own, which closes when it is let. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

#include "attached.h"
#include "base.h"
#include "kinds.h"
#include "port-ops.h"
#include "uri-option.h"

static struct fixture f;
static struct channel *ch;
static sem_t may_close;
static atomic_int closes, finishes;

/* ---- the kind ---- */

static void slow_close(void *state)
{
	while (sem_wait(&may_close) < 0)
		;
	close((int)(intptr_t)state);
	atomic_fetch_add(&closes, 1);
}

static const struct opened_ops slow_opened = { .close = slow_close };

static bool slow_fits(const struct opened *o)
{
	return o->ops == &slow_opened;
}

static int slow_init(struct port *p)
{
	return 0;
}

static void slow_start(struct port *p)
{
}

static bool stops_slowly;

static bool slow_stop(struct port *p)
{
	return !stops_slowly;
}

static void slow_finish(struct port *p)
{
	atomic_fetch_add(&finishes, 1);
}

static const struct port_ops slow_ops = {
	.how = "slow",
	.size = sizeof(struct port),
	.dirs = PORT_SOURCES,
	.fits = slow_fits,
	.init = slow_init,
	.start = slow_start,
	.stop = slow_stop,
	.finish = slow_finish,
};

static const struct uri_option *const slow_options[] = { NULL };
static const struct port_ops *const slow_may[] = { &slow_ops, NULL };
static const struct port_kind slow_kind = {
	.name = "slow",
	.dirs = PORT_SOURCES,
	.options = slow_options,
	.ops = slow_may,
};

/* ---- what is done on the worker ---- */

struct slow {
	unsigned id;
	int err;
	atomic_int detached;
};

static void call_attach(void *arg)
{
	struct slow *s = arg;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct port_config config = {
		.dir = PORT_SOURCE,
		.node = 1,
		.uri = { .kind = &slow_kind, .text = strdup("slow:") },
		.opened = { .fd = fd, .ops = &slow_opened, .state = (void *)(intptr_t)fd },
	};
	char why[URI_WHY_MAX];

	s->err = port_attach(ch, &config, &s->id, why);
}

static void call_end(void *arg)
{
	port_end(port_list_find(port_list_of(ch), ((struct slow *)arg)->id), 0);
}

static struct port *stopping;

static void call_detach_slowly(void *arg)
{
	struct slow *s = arg;

	stops_slowly = true;
	stopping = port_list_find(port_list_of(ch), s->id);
	s->err = port_detach(ch, s->id, NULL, NULL);
}

static void call_stopped(void *arg)
{
	port_stopped(stopping);
}

static void count_detached(void *data)
{
	atomic_fetch_add(&((struct slow *)data)->detached, 1);
}

static void call_detach(void *arg)
{
	struct slow *s = arg;

	s->err = port_detach(ch, s->id, count_detached, s);
}

static void call_find_stopping(void *arg)
{
	stopping = port_list_find(port_list_of(ch), ((struct slow *)arg)->id);
}

static void call_forget(void *arg)
{
	port_detach_forget(ch, ((struct slow *)arg)->id, arg);
}

static void start(void)
{
	fixture_start(&f);
	ch = fixture_channel(&f, 1);
	sem_init(&may_close, 0, 0);
}

static void stop(void)
{
	if (ch)
		fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(port_end, .init = start, .fini = stop, .timeout = 60);

static struct slow attach_slow(void)
{
	struct slow s = { 0 };

	on_worker(&f, call_attach, &s);
	cr_assert_eq(s.err, 0);
	return s;
}

static void expect_waiting(void)
{
	cr_expect_eq(atomic_load(&closes), 0);
	cr_expect_neq(sem_trywait(&f.ended), 0, "told too early");
}

Test(port_end, is_told_once_it_is_closed)
{
	struct slow s = attach_slow();

	on_worker(&f, call_end, &s);
	cr_expect_eq(look_at(&f, ch, (int)s.id).state, PORT_RUNNING);
	expect_waiting();
	sem_post(&may_close);
	wait_state(&f, ch, (int)s.id, PORT_DONE);
	cr_expect_eq(atomic_load(&closes), 1);
	cr_expect_eq(atomic_load(&finishes), 1);
}

Test(port_end, that_hangs_lets_the_next_source_play)
{
	struct slow first = attach_slow(), second = attach_slow();

	cr_expect_eq(look_at(&f, ch, (int)second.id).state, PORT_WAITING);
	on_worker(&f, call_end, &first);
	cr_expect_eq(look_at(&f, ch, (int)second.id).state, PORT_RUNNING);
	expect_waiting();
	sem_post(&may_close);
	wait_state(&f, ch, (int)first.id, PORT_DONE);
	cr_expect_eq(look_at(&f, ch, (int)second.id).state, PORT_RUNNING);
	sem_post(&may_close);
}

Test(port_end, what_a_detached_source_has_in_hand_goes_before_the_next_source)
{
	struct slow first = attach_slow(), second;

	on_worker(&f, call_detach_slowly, &first);
	second = attach_slow();
	cr_expect_eq(look_at(&f, ch, (int)second.id).state, PORT_WAITING);
	sem_post(&may_close);
	on_worker(&f, call_stopped, NULL);
	cr_expect_eq(look_at(&f, ch, (int)second.id).state, PORT_RUNNING);
	stops_slowly = false;
	sem_post(&may_close);
}

Test(port_end, a_detached_port_is_answered_once_it_is_closed)
{
	struct slow s = attach_slow();

	on_worker(&f, call_detach, &s);
	cr_expect_eq(s.err, 0);
	cr_expect_not(look_at(&f, ch, (int)s.id).there);
	expect_waiting();
	cr_expect_eq(atomic_load(&s.detached), 0);
	sem_post(&may_close);
	WAIT_UNTIL(atomic_load(&s.detached));
	cr_expect_eq(sem_trywait(&f.ended), 0, "its end is not told");
	cr_expect_neq(sem_trywait(&f.ended), 0, "its end is told twice");
	on_worker(&f, call_detach, &s);
	cr_expect_eq(s.err, -ENOENT);
	cr_expect_eq(atomic_load(&s.detached), 1);
	cr_expect_eq(atomic_load(&finishes), 1);
}

Test(port_end, a_port_can_be_detached_while_it_is_being_closed_and_after_that)
{
	struct slow s = attach_slow(), t = attach_slow();

	on_worker(&f, call_end, &s);
	on_worker(&f, call_detach, &s);
	cr_expect_eq(atomic_load(&s.detached), 0);
	sem_post(&may_close);
	WAIT_UNTIL(atomic_load(&s.detached));
	on_worker(&f, call_end, &t);
	sem_post(&may_close);
	wait_state(&f, ch, (int)t.id, PORT_DONE);
	on_worker(&f, call_detach, &t);
	cr_expect_eq(atomic_load(&t.detached), 1, "there is nothing to wait for");
	cr_expect_eq(atomic_load(&finishes), 2);
}

Test(port_end, who_waits_for_a_close_that_hangs_can_give_up)
{
	struct slow s = attach_slow();

	on_worker(&f, call_detach, &s);
	on_worker(&f, call_forget, &s);
	cr_expect_eq(atomic_load(&s.detached), 1);
	on_worker(&f, call_forget, &s);
	expect_waiting();
	sem_post(&may_close);
	WAIT_UNTIL(atomic_load(&closes));
	WAIT_UNTIL(sem_trywait(&f.ended) == 0);
	cr_expect_eq(atomic_load(&s.detached), 1);
}

/* Who comes second is told that there is no such port, and gives up nobody's wait but their own. */
Test(port_end, nobody_gives_up_for_who_has_detached_it)
{
	struct slow s = attach_slow(), second = { .id = s.id };

	on_worker(&f, call_detach, &s);
	on_worker(&f, call_detach, &second);
	cr_assert_eq(second.err, -ENOENT);
	on_worker(&f, call_forget, &second);
	cr_expect_eq(atomic_load(&s.detached), 0, "told before it is closed");
	sem_post(&may_close);
	WAIT_UNTIL(atomic_load(&s.detached));
	cr_expect_eq(atomic_load(&second.detached), 0);
}

/* It goes on stopping, and closing, without anybody; then nothing is left of it, and its end is told once. */
Test(port_end, a_port_that_nobody_waits_for_any_more_goes_once)
{
	struct slow s = attach_slow(), next = attach_slow();

	stops_slowly = true;
	stopping = NULL;
	on_worker(&f, call_find_stopping, &s);
	on_worker(&f, call_detach, &s);
	cr_assert_eq(s.err, 0);
	on_worker(&f, call_forget, &s);
	cr_expect_eq(atomic_load(&s.detached), 1);
	cr_expect_not(look_at(&f, ch, (int)s.id).there);
	cr_expect_eq(atomic_load(&finishes), 0);
	cr_expect_eq(look_at(&f, ch, (int)next.id).state, PORT_WAITING);
	expect_waiting();
	on_worker(&f, call_stopped, NULL);
	cr_expect_eq(look_at(&f, ch, (int)next.id).state, PORT_RUNNING);
	expect_waiting();
	sem_post(&may_close);
	WAIT_UNTIL(sem_trywait(&f.ended) == 0);
	cr_expect_neq(sem_trywait(&f.ended), 0, "its end is told twice");
	cr_expect_not(look_at(&f, ch, (int)s.id).there);
	on_worker(&f, call_forget, &s);
	on_worker(&f, call_detach, &s);
	cr_expect_eq(s.err, -ENOENT);
	cr_expect_eq(atomic_load(&s.detached), 1);
	cr_expect_eq(atomic_load(&finishes), 1);
	cr_expect_eq(atomic_load(&closes), 1);
	stops_slowly = false;
	sem_post(&may_close);
}

/* Neither the channel's end nor the engine's waits for it, and nothing is left of it. */
Test(port_end, a_close_that_hangs_holds_nothing_up)
{
	struct slow s = attach_slow(), t = attach_slow();

	on_worker(&f, call_end, &t);
	on_worker(&f, call_detach, &s);
	fixture_destroy(&f, ch);
	ch = NULL;
	cr_expect_eq(atomic_load(&s.detached), 1);
	engine_destroy(f.engine);
	f.engine = NULL;
	cr_expect_eq(atomic_load(&closes), 0);
	sem_post(&may_close);
	sem_post(&may_close);
	WAIT_UNTIL(atomic_load(&closes) == 2);
}
