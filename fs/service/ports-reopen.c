/*
 * Sinks are opened anew, on the channel's worker, one after the other: a question has one opening under way, and the next begins
 * when that is through, however it went. What is told is the first that failed.
 */
#include "ports-parts.h"

#include <errno.h>
#include <string.h>

#include "base.h"

static void ports_work_reopen_next(struct ports_ask *a);

/* On the worker. */
static void ports_note(struct ports_ask *a, int err, const char *why)
{
	if (err == 0 || a->err < 0)
		return;
	a->err = err;
	uri_why(a->text, "%s", why);
	a->why = a->text;
}

static void ports_reopened_one(void *data, int err, const char *why)
{
	struct ports_ask *a = data;

	ports_note(a, err, why);
	ports_work_reopen_next(a);
}

static const char *ports_reopen_reason(int err)
{
	return err == -EOPNOTSUPP ? "the port has no path that could be opened anew" :
	       err == -EACCES     ? "only who attached the sink, and root, may have it opened anew" :
	       err == -ENOENT     ? "the channel has no such port" :
				    strerror(-err);
}

static void ports_work_reopen_next(struct ports_ask *a)
{
	struct channel *ch = hold_channel(&a->hold);
	int err = -EOPNOTSUPP;

	while (err < 0) {
		unsigned last = a->at;

		a->at = a->id && !last ? a->id : a->id ? 0 : port_reopen_next(ch, last, &a->rights);
		if (!a->at) {
			job_done(&a->job);
			return;
		}
		err = port_reopen(ch, a->at, &a->rights, ports_reopened_one, a);
		if (err < 0 && (a->id || err != -EOPNOTSUPP)) /* (of all those that can) */
			ports_note(a, err, ports_reopen_reason(err));
	}
}

static void ports_work_reopen(struct job *job)
{
	ports_work_reopen_next(container_of(job, struct ports_ask, job));
}

static void ports_reopened(struct job *job)
{
	struct ports_ask *a = container_of(job, struct ports_ask, job);

	ports_look_given_up(a);
	ports_finish(a);
}

void ports_reopen(struct ports_ask *a, const struct rights *r)
{
	ports_do(a, "reopen", r, ports_work_reopen, ports_reopened);
}
