/*
 * The lead of a file that a sink goes on to: the channel's prologue (prologue.h), as the first one has it, whose reader the
 * sink is; where the file has no beginning yet. It is written before what the stream goes on with, and counts in the file's
 * length alone.
 *
 * The channel may have another stream by now, with another prologue, while this sink still writes the last one's end. So it is
 * learnt while the sink's own stream flows.
 */
#include "port-file-sink-parts.h"

#include <errno.h>
#include <string.h>

#include "channel.h"
#include "log.h"

static void file_sink_lacks(const struct file_port *f)
{
	const struct port *p = &f->port;

	log_user_warn(p->config.rights.uid, "%s: port %u, %s: begins without the prologue: %s", p->channel->label,
		      p->id, rotation_path(&f->rotation), strerror(ENOMEM));
}

/* Returns 0 or -ENOMEM. */
static int file_sink_look_up(struct file_port *f)
{
	const struct prologue *p = channel_prologue(f->port.channel);
	const struct tap *tap = channel_find_tap(f->port.channel, f->port.tap);
	size_t len = p ? prologue_before(p, UINT64_MAX) : 0;

	if (!tap || tap->outlet.state == OUTLET_ENDING)
		return 0;
	if (!len) {
		prologue_finish(&f->begins);
		return 0;
	}
	if (len == f->begins.len && !memcmp(p->bytes, f->begins.bytes, len))
		return 0;
	return prologue_give(&f->begins, p->bytes, len);
}

void file_sink_learn(struct file_port *f)
{
	if (f->rotation.port && !f->begins.len && channel_prologue(f->port.channel))
		file_sink_look_up(f);
}

void file_sink_lead_begin(struct file_port *f)
{
	struct bounce *b = &f->lead;

	if (f->port.config.opened.size)
		return;
	if (file_sink_look_up(f) < 0) {
		file_sink_lacks(f);
		return;
	}
	if (!f->begins.len)
		return;
	if (bounce_ready(b, f->begins.len) < 0) {
		file_sink_lacks(f);
		return;
	}
	memcpy(b->buf, f->begins.bytes, f->begins.len);
	b->len = f->begins.len;
	rotation_lead(&f->rotation, b->len);
}

bool file_sink_lead(struct file_port *f)
{
	struct bounce *b = &f->lead;

	if (!b->len)
		return false;
	if (file_port_ready(f)) {
		f->lent = b;
		loop_io_write(&f->disk, f->port.config.opened.fd, file_port_place(f), b->buf, b->size, b->at, b->len);
	}
	return true;
}

void file_sink_led(struct file_port *f, size_t bytes)
{
	struct bounce *b = &f->lead;

	f->offset += bytes;
	b->at += bytes;
	b->len -= bytes;
	if (!b->len)
		bounce_finish(b);
}

void file_sink_lead_finish(struct file_port *f)
{
	bounce_finish(&f->lead);
	prologue_finish(&f->begins);
}
