/*
 * A worker is a thread, a loop, and what all of its channels use in turn: two inotify queues, the stage, one page, and
 * /dev/null. None of it has a lock, because a channel never changes its worker. It is made before the thread runs and
 * freed after it has ended.
 */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "log.h"
#include "queue.h"
#include "sys.h"

struct engine {
	unsigned count;
	unsigned next;
	struct worker workers[];
};

void worker_clear_stage(struct worker *w, size_t len)
{
	if (pipe_drop(w->stage.rd, w->null, len) == len)
		return;
	log_err("the stage has not all that was put into it");
	pipe_close(&w->stage);
	w->stage_size = pipe_open(&w->stage, PIPE_SIZE);
	if (w->stage_size < 0) {
		log_err("no stage: %s", strerror(-w->stage_size));
		abort(); /* every stream of this worker would be wrong */
	}
}

void worker_fit_stage(struct worker *w, int size)
{
	int granted;

	if (size >= w->stage_size && size < 2 * w->stage_size)
		return;
	granted = sys.resize(w->stage.wr, size);
	if (granted > 0)
		w->stage_size = granted;
}

size_t worker_first_packet(struct worker *w, const struct queue *q)
{
	ssize_t n = queue_peek(q, w->stage.wr, PIPE_BUF);
	ssize_t first = n > 0 ? sys.read(w->stage.rd, w->buffer, PIPE_BUF) : 0;

	if (first > 0 && first < n)
		worker_clear_stage(w, (size_t)(n - first));
	return first > 0 ? (size_t)first : 0;
}

static int worker_start(struct worker *w)
{
	int err;

	err = loop_create(&w->loop);
	if (err < 0)
		return err;
	err = watcher_init(&w->watcher, w->loop);
	if (err == 0)
		err = watcher_init(&w->leavers, w->loop);
	if (err == 0)
		err = watcher_init(&w->origins, w->loop);
	if (err < 0)
		return err;
	w->stage_size = pipe_open(&w->stage, PIPE_SIZE);
	if (w->stage_size < 0)
		return w->stage_size;
	w->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (w->null < 0)
		return -errno;
	w->buffer = malloc(SMALL_CHUNK);
	if (!w->buffer)
		return -ENOMEM;
	err = loop_start(w->loop, &w->thread);
	/*
	 * sched(7): a batch thread does not pre-empt who wakes it, so a writer on the same processor goes
	 * on writing, and there is more to move by the time the worker runs. On an idle one it runs at once.
	 */
	if (err == 0)
		pthread_setschedparam(w->thread, SCHED_BATCH, &(struct sched_param){ 0 });
	return err;
}

static void worker_finish(struct worker *w)
{
	loop_destroy(w->loop);
	linger_finish(&w->lingers);
	watcher_finish(&w->watcher);
	watcher_finish(&w->leavers);
	watcher_finish(&w->origins);
	pipe_close(&w->stage);
	fd_close(&w->null);
	free(w->buffer);
}

int engine_create(struct engine **out, unsigned workers, int dir, const struct engine_events *events)
{
	struct engine *e = calloc(1, sizeof(*e) + workers * sizeof(e->workers[0]));

	if (!e)
		return -ENOMEM;
	for (; e->count < workers; e->count++) {
		struct worker *w = &e->workers[e->count];
		int err;

		w->dir = dir;
		w->null = w->watcher.fd = w->leavers.fd = w->origins.fd = -1;
		w->stage = PIPE_NONE;
		TAILQ_INIT(&w->lingers);
		if (events)
			w->events = *events;
		err = worker_start(w);
		if (err < 0) {
			worker_finish(w);
			engine_destroy(e);
			return err;
		}
	}
	*out = e;
	return 0;
}

struct worker *engine_worker(struct engine *engine, unsigned i)
{
	return engine && i < engine->count ? &engine->workers[i] : NULL;
}

struct worker *engine_next_worker(struct engine *engine)
{
	return &engine->workers[engine->next++ % engine->count];
}

void engine_destroy(struct engine *engine)
{
	if (!engine)
		return;
	for (unsigned i = 0; i < engine->count; i++)
		loop_stop(engine->workers[i].loop);
	for (unsigned i = 0; i < engine->count; i++)
		pthread_join(engine->workers[i].thread, NULL);
	for (unsigned i = 0; i < engine->count; i++)
		worker_finish(&engine->workers[i]);
	free(engine);
}
