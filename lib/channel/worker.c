/*
 * What a worker has has no lock, because a channel never changes its worker. It is made before the thread runs and freed
 * after it has ended. The stage begins as small as the kernel makes it, for many a worker never has a tap.
 */
#include "worker.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "queue.h"
#include "sys.h"

void worker_clear_stage(struct worker *w, size_t len)
{
	if (pipe_drop(w->stage.rd, w->null, len) == len)
		return;
	log_err("the stage has not all that was put into it");
	pipe_close(&w->stage);
	w->stage_size = pipe_open(&w->stage, PIPE_SIZE);
	if (w->stage_size < 0) /* every stream of this worker would be wrong */
		log_abort("no stage: %s", pipe_error(w->stage_size));
}

void worker_fit_stage(struct worker *w, int size)
{
	int granted;

	if (size >= w->stage_size && size < 2 * w->stage_size)
		return;
	granted = sys.resize(w->stage.wr, size);
	if (granted > 0)
		w->stage_size = granted;
	if (granted > 0 && size >= PIPE_SIZE)
		w->pipe_size = granted < PIPE_SIZE ? granted : PIPE_SIZE;
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
	int err = loop_create(&w->loop);

	if (err < 0)
		return err;
	watcher_init(&w->watcher, w->loop);
	watcher_init(&w->origins, w->loop);
	err = watcher_open(&w->watcher);
	if (err < 0)
		return err;
	w->stage_size = pipe_open(&w->stage, 0);
	w->pipe_size = PIPE_SIZE;
	if (w->stage_size < 0)
		return w->stage_size;
	w->buffer = malloc(SMALL_CHUNK);
	if (!w->buffer)
		return -ENOMEM;
	err = loop_start(w->loop, "spfsd-worker", &w->thread);
	/*
	 * sched(7): a batch thread does not pre-empt who wakes it, so a writer on the same processor goes
	 * on writing, and there is more to move by the time the worker runs. On an idle one it runs at once.
	 */
	if (err == 0)
		pthread_setschedparam(w->thread, SCHED_BATCH, &(struct sched_param){ 0 });
	return err;
}

static void worker_free(struct worker *w)
{
	loop_destroy(w->loop);
	linger_finish(&w->lingers);
	watcher_finish(&w->watcher);
	watcher_finish(&w->origins);
	pipe_close(&w->stage);
	free(w->buffer);
	free(w->standing);
	free(w);
}

int worker_create(struct worker **out, int dir, int null, const struct engine_events *events)
{
	struct worker *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->dir = dir;
	w->null = null;
	w->stage = PIPE_NONE;
	TAILQ_INIT(&w->lingers);
	if (events)
		w->events = *events;
	err = worker_start(w);
	if (err < 0)
		worker_free(w);
	else
		*out = w;
	return err;
}

void worker_stop(struct worker *w)
{
	loop_stop(w->loop);
}

void worker_destroy(struct worker *w)
{
	pthread_join(w->thread, NULL);
	worker_free(w);
}
