#include "double-buffer.h"

#include <errno.h>

#include "deferred-close.h"
#include "fifo.h"

int double_buffer_open(struct double_buffer *b)
{
	for (unsigned i = 0; i < HALVES; i++) {
		struct half *half = &b->halves[i];

		half->size = pipe_open(&half->pipe, PIPE_SIZE);
		if (half->size < 0)
			return half->size;
		if (fifo_fd_check(half->pipe.wr) < 0)
			return -EMFILE;
	}
	return 0;
}

void double_buffer_finish(struct double_buffer *b, bool busy, struct loop *loop, uid_t uid)
{
	for (unsigned i = 0; i < HALVES; i++) {
		struct half *half = &b->halves[i];

		if (busy) {
			deferred_close_after(&half->pipe.rd, uid, loop);
			deferred_close_after(&half->pipe.wr, uid, loop);
		}
		half->bytes = 0;
		pipe_close(&half->pipe);
		bounce_finish(&half->bounce);
	}
}
