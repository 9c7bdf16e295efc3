/*
 * The lead of a file that a sink goes on to: the channel's prologue (prologue.h), as the first one has it, whose reader the
 * sink is; where the file has no beginning yet. It is written before what the stream goes on with, and counts in the file's
 * length alone.
 *
 * A prologue by value is what it is at that moment. Of a stream's own first bytes, which are another stream's once that has
 * begun, those are kept that were there when the sink's first bytes came: so it is the same in each of its files.
 */
#include "port-file-sink-parts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "channel.h"
#include "log.h"

bool file_sink_has_begun(const struct file_port *f)
{
	const struct opened *o = &f->port.config.opened;

	return S_ISREG(o->type) && (f->append ? o->size : o->position);
}

static void file_sink_lacks(const struct file_port *f, int err)
{
	const struct port *p = &f->port;

	log_user_warn(p->config.rights.uid, "%s: port %u, %s: begins without the prologue: %s", p->channel->label,
		      p->id, rotation_path(&f->rotation), strerror(-err));
}

/* What there is of @p. Returns 0, or -EDQUOT or -ENOMEM with what was known before. */
static int file_sink_copy(struct file_port *f, const struct prologue *p)
{
	size_t len = prologue_before(p, UINT64_MAX);
	int err;

	if (!len || (len == f->begins.len && !memcmp(p->bytes, f->begins.bytes, len)))
		return 0;
	err = charge_set(&f->charge, (uint64_t)HALVES * PIPE_SIZE + 2 * len); /* with the lead */
	return err < 0 ? err : prologue_give(&f->begins, p->bytes, len);
}

/* Whether the stream that the sink began with is the one whose first bytes are kept. */
static bool file_sink_may_learn(const struct file_port *f, const struct prologue *p)
{
	return p->first && !f->begins.len && p->edition == f->edition;
}

static void file_sink_learn_header(struct file_port *f, const struct prologue *p)
{
	const struct tap *tap = f->port.first ? channel_find_tap(f->port.channel, f->port.tap) : NULL;
	size_t led = tap ? tap->led : 0, first = tap && p ? p->first : 0;

	f->begun_with = true;
	f->edition = p ? p->edition : 0;
	rotation_set_header(&f->rotation, led, led > first ? led : first);
}

void file_sink_learn(struct file_port *f)
{
	const struct prologue *p = channel_prologue(f->port.channel);

	if (!f->rotation.port)
		return;
	if (!f->begun_with)
		file_sink_learn_header(f, p);
	if (p && file_sink_may_learn(f, p))
		file_sink_copy(f, p); /* (where that fails, it is tried again for the next file) */
}

void file_sink_lead_begin(struct file_port *f)
{
	const struct prologue *p = channel_prologue(f->port.channel);
	struct bounce *b = &f->lead;
	int err = 0;

	if (f->port.config.opened.size)
		return;
	if (!p)
		prologue_finish(&f->begins);
	else if (!p->first || file_sink_may_learn(f, p))
		err = file_sink_copy(f, p);
	if (err == 0 && f->begins.len)
		err = bounce_ready(b, f->begins.len);
	if (err < 0) {
		file_sink_lacks(f, err);
		return;
	}
	if (!f->begins.len)
		return;
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
