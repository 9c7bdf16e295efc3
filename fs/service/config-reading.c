#include "config-reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "config.h"
#include "errand.h"

/* As many as a program has: who knows users by name is a library of others'. */
#define STACK (8ul * 1024 * 1024)

struct config_attempt {
	struct errand errand;
	struct config_reading *reading;
	char *file;
	int err;
	struct config *config;
	struct lines mistakes;
};

static void config_attempt_run(struct errand *e)
{
	struct config_attempt *a = container_of(e, struct config_attempt, errand);

	a->err = config_read(a->file, &a->config, &a->mistakes);
}

static void config_attempt_done(struct errand *e)
{
	struct config_attempt *a = container_of(e, struct config_attempt, errand);
	struct config_reading *r = a->reading;

	r->attempt = NULL;
	r->err = -ENOTCONN;
	if (!e->late) {
		r->err = a->err;
		r->config = a->config;
		r->mistakes = a->mistakes;
		a->config = NULL;
		a->mistakes = (struct lines){ 0 };
	}
	r->done(r);
}

static void config_attempt_free(struct errand *e)
{
	struct config_attempt *a = container_of(e, struct config_attempt, errand);

	config_unref(a->config);
	lines_finish(&a->mistakes);
	free(a->file);
	free(a);
}

int config_reading_start(struct config_reading *r, struct loop *loop, const char *file,
			 void (*done)(struct config_reading *r))
{
	struct config_attempt *a = calloc(1, sizeof(*a));
	int err;

	*r = (struct config_reading){ .done = done, .attempt = a };
	if (!a)
		return -ENOMEM;
	a->errand = (struct errand){ .run = config_attempt_run,
				     .done = config_attempt_done,
				     .free = config_attempt_free,
				     .loop = loop,
				     .uid = ERRAND_NOBODY,
				     .stack = STACK };
	a->reading = r;
	a->file = strdup(file);
	err = a->file ? errand_start(&a->errand, 0) : -ENOMEM;
	if (err < 0) {
		config_attempt_free(&a->errand);
		r->attempt = NULL;
	}
	return err;
}

void config_reading_cancel(struct config_reading *r)
{
	if (r->attempt)
		errand_abandon(&r->attempt->errand);
}
