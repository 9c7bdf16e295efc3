/*
 * Ports are detached, on the channel's worker, which finds out whether they may be: a port that is asked for may have ended
 * since. It is answered once the port is closed, perhaps within the call.
 */
#include "ports-parts.h"

#include <errno.h>
#include <unistd.h>

#include "access.h"
#include "base.h"
#include "report.h"

/* On the worker: nothing of the port is open any more. */
static void ports_closed(void *data)
{
	struct ports_ask *a = data;

	job_done(&a->job);
}

static int ports_check_detach(struct ports_ask *a)
{
	const struct report *r = a->report = report_create(hold_channel(&a->hold));
	size_t i = 0;

	while (r && i < r->port_count && r->ports[i].id != a->id)
		i++;
	if (!r)
		return -ENOMEM;
	if (i == r->port_count)
		return -ENOENT;
	return a->may[r->ports[i].dir] ? 0 : -EACCES;
}

static void ports_work_detach(struct job *job)
{
	struct ports_ask *a = container_of(job, struct ports_ask, job);
	int err = ports_check_detach(a);

	if (err == 0)
		err = port_detach(hold_channel(&a->hold), a->id, ports_closed, a);
	if (err == 0) /* it may be answered already */
		return;
	a->err = err;
	job_done(job);
}

static void ports_detached(struct job *job)
{
	struct ports_ask *a = container_of(job, struct ports_ask, job);

	ports_look_given_up(a);
	if (a->err == -EACCES)
		a->why = "no right to detach the port";
	ports_finish(a);
}

void ports_detach(struct ports_ask *a, const struct rights *r)
{
	bool owner = r->uid == a->inode->uid;

	a->may[PORT_SOURCE] = owner || access_check(r, a->inode, W_OK) == 0;
	a->may[PORT_SINK] = owner || access_check(r, a->inode, R_OK) == 0;
	ports_do(a, "detach", r, ports_work_detach, ports_detached);
}
