#include "turns.h"

#include "base.h"

static void turns_run(struct loop_task *task)
{
	struct turns *t = container_of(task, struct turns, task);

	for (unsigned n = 0; n < TURNS_THINGS;) {
		unsigned things = t->step(t);

		if (!things) {
			t->done(t);
			return;
		}
		n += things;
	}
	loop_post(t->loop, task);
}

void turns_start(struct turns *t)
{
	t->task.run = turns_run;
	loop_post(t->loop, &t->task);
}
