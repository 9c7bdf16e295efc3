/*
 * What a sink has in hand, given back to the head of its tap. Nothing else has it then: no request is under way.
 *
 * What was copied for appending goes by way of the half's own pipe, which is there all the time, so that it cannot be refused
 * then. What is refused nevertheless is lost, counted and logged.
 */
#include "port-file-sink-parts.h"

#include <errno.h>
#include <string.h>

#include "channel.h"
#include "log.h"

/* From memory into the half's pipe, which is empty, and as large. Returns 0 or a negative errno. */
static int file_sink_put_back(struct half *half)
{
	ssize_t n = bounce_give(&half->bounce, half->pipe.wr);

	if (n < 0)
		return (int)n;
	return half->bounce.len ? -ENOBUFS : 0;
}

void file_sink_give_back(struct file_port *f)
{
	struct tap *tap = channel_find_tap(f->port.channel, f->port.tap);
	size_t bytes = double_buffer_bytes(&f->buffer);
	int err = 0;

	if (!bytes)
		return;
	if (!tap) /* they went with its name, and are counted and logged as the port lets go of them */
		return;
	tap->held = false;
	err = tap_recall(tap, f->port.pipe);
	/* The half to be emptied last goes first: each is put before the one there. */
	for (unsigned i = HALVES; err == 0 && i--;) {
		struct half *half = &f->buffer.halves[(f->buffer.drain + i) % HALVES];

		if (half->bytes && f->append)
			err = file_sink_put_back(half);
		if (half->bytes && err == 0)
			err = queue_prepend(&tap->queue, &half->pipe, half->bytes, half->size);
		if (err == 0)
			half->bytes = 0;
	}
	bytes = double_buffer_bytes(&f->buffer);
	if (err < 0) {
		tap_lose(tap, bytes);
		log_user_err(f->port.config.rights.uid,
			     "%s: port %u lost %zu bytes, giving back what it had not written: %s",
			     f->port.channel->label, f->port.id, bytes, strerror(-err));
		f->buffer.halves[0].bytes = f->buffer.halves[1].bytes = 0;
	}
	if (tap->id < TAP_PRIVATE) /* who opens the tap now must not be taken for a second reader */
		fd_close(&f->port.pipe);
	tap_look(tap);
}
