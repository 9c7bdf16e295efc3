/*
 * Who owns an attempt is settled by the one change of its state away from RUNNING: the thread makes it READY and tells
 * the loop, or config_reading_cancel() makes it ABANDONED, tells the loop itself, and the thread frees it. Either way one
 * task comes to the loop, which does not end before.
 */
#include "config-reading.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "config.h"
#include "thread.h"

enum config_attempt_state { CONFIG_RUNNING, CONFIG_READY, CONFIG_ABANDONED };

struct config_attempt {
	char *file;
	atomic_int state;
	struct config_reading *reading; /* only who ends RUNNING may touch it */
	int err;
	struct config *config;
	struct lines mistakes;
};

static void config_attempt_free(struct config_attempt *a)
{
	config_unref(a->config);
	lines_finish(&a->mistakes);
	free(a->file);
	free(a);
}

static void *config_attempt_run(void *arg)
{
	struct config_attempt *a = arg;
	int running = CONFIG_RUNNING;

	a->err = config_read(a->file, &a->config, &a->mistakes);
	if (atomic_compare_exchange_strong(&a->state, &running, CONFIG_READY))
		loop_arrive(a->reading->loop, &a->reading->task);
	else
		config_attempt_free(a);
	return NULL;
}

static void config_reading_tell(struct loop_task *task)
{
	struct config_reading *r = container_of(task, struct config_reading, task);
	struct config_attempt *a = r->attempt;

	r->attempt = NULL;
	if (a) {
		r->err = a->err;
		r->config = a->config;
		r->mistakes = a->mistakes;
		a->config = NULL;
		a->mistakes = (struct lines){ 0 };
		config_attempt_free(a);
	}
	r->done(r);
}

int config_reading_start(struct config_reading *r, struct loop *loop, const char *file,
			 void (*done)(struct config_reading *r))
{
	struct config_attempt *a = calloc(1, sizeof(*a));
	int err;

	*r = (struct config_reading){ .done = done, .loop = loop, .task.run = config_reading_tell, .attempt = a };
	if (!a)
		return -ENOMEM;
	a->reading = r;
	a->file = strdup(file);
	err = a->file ? thread_start(NULL, 0, config_attempt_run, a) : -ENOMEM;
	if (err < 0) {
		config_attempt_free(a);
		r->attempt = NULL;
		return err;
	}
	loop_expect(loop); /* on the loop's own thread, so it cannot have looked in between */
	return 0;
}

void config_reading_cancel(struct config_reading *r)
{
	int running = CONFIG_RUNNING;

	if (!r->attempt || !atomic_compare_exchange_strong(&r->attempt->state, &running, CONFIG_ABANDONED))
		return;
	r->attempt = NULL;
	r->err = -ENOTCONN;
	loop_arrive(r->loop, &r->task);
}
