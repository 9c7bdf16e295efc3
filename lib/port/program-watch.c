/*
 * It may say and complain as much and as fast as it likes: it is looked at a hundred times a second at most, and then reads what
 * there is up to a bound (program-words.c). What does not fit its sockets it waits for itself.
 */
#include "program-watch.h"

#include <poll.h>

#include "base.h"
#include "clock.h"

#define PROGRAM_PAUSE_NSEC (NSEC_PER_SEC / 100)
#define PROGRAM_PATIENCE_NSEC NSEC_PER_SEC

static void program_watch_listen(struct program_watch *w)
{
	int words = program_words(w->program), complaints = program_complaints(w->program);

	if (words >= 0)
		loop_io_poll(&w->words, words, POLLIN);
	if (complaints >= 0)
		loop_io_poll(&w->errors, complaints, POLLIN);
}

/* It was listened to; after a breach its end comes, and that is the port's. */
static void program_watch_heard(struct program_watch *w)
{
	if (w->program->breached)
		program_kill_group(w->program);
	loop_io_timer(&w->pause, PROGRAM_PAUSE_NSEC);
}

static void program_watch_paused(struct loop_io *io, int res)
{
	program_watch_listen(container_of(io, struct program_watch, pause));
}

static void program_watch_words(struct loop_io *io, int res)
{
	struct program_watch *w = container_of(io, struct program_watch, words);

	bool moved = program_moves(w->program);

	program_listen_words(w->program);
	program_watch_heard(w);
	if (!moved && program_moves(w->program))
		w->moves(w);
}

static void program_watch_errors(struct loop_io *io, int res)
{
	struct program_watch *w = container_of(io, struct program_watch, errors);

	program_listen_complaints(w->program);
	program_watch_heard(w);
}

static void program_watch_ended(struct loop_io *io, int res)
{
	struct program_watch *w = container_of(io, struct program_watch, process);

	program_look(w->program);
	program_watch_stop(w);
	w->over(w);
}

static void program_watch_impatient(struct loop_io *io, int res)
{
	struct program_watch *w = container_of(io, struct program_watch, patience);

	program_watch_stop(w);
	w->over(w);
}

void program_watch_init(struct program_watch *w, struct loop *loop, void (*moves)(struct program_watch *w),
			void (*over)(struct program_watch *w))
{
	w->moves = moves;
	w->over = over;
	loop_io_init(&w->process, loop, program_watch_ended);
	loop_io_init(&w->words, loop, program_watch_words);
	loop_io_init(&w->errors, loop, program_watch_errors);
	loop_io_init(&w->pause, loop, program_watch_paused);
	loop_io_init(&w->patience, loop, program_watch_impatient);
}

void program_watch_start(struct program_watch *w, struct program *program)
{
	w->program = program;
	loop_io_poll(&w->process, program->process, POLLIN);
	program_watch_listen(w);
}

void program_watch_hurry(struct program_watch *w)
{
	loop_io_timer(&w->patience, PROGRAM_PATIENCE_NSEC);
}

void program_watch_stop(struct program_watch *w)
{
	loop_io_cancel(&w->process);
	loop_io_cancel(&w->words);
	loop_io_cancel(&w->errors);
	loop_io_cancel(&w->pause);
	loop_io_cancel(&w->patience);
}
