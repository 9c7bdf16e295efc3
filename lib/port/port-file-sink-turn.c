/* How a sink goes on in another file (rotation.h): between two writes and two looks, so no request has the one before. */
#include "port-file-sink-parts.h"

#include <errno.h>
#include <string.h>

/* To the next file: what is known of the present one is nothing to it. */
static void file_sink_turn(struct file_port *f)
{
	rotation_switch(&f->rotation);
	f->offset = f->port.config.opened.position;
	f->shown = f->sure = false;
	file_sink_lead_begin(f);
}

size_t file_sink_share(struct file_port *f, const struct half *half)
{
	struct rotation *r = &f->rotation;
	size_t share;

	if (!r->port)
		return half->bytes;
	share = rotation_share(r, half, f->begun);
	if (share || !rotation_ready(r))
		return share;
	file_sink_turn(f);
	return rotation_share(r, half, f->begun);
}

void file_sink_rest(struct file_port *f)
{
	struct rotation *r = &f->rotation;

	if (!r->port)
		return;
	rotation_begin_asked(r);
	if (rotation_ready(r) && rotation_rests(r))
		file_sink_turn(f);
}

int file_sink_reopen(struct port *p, void (*reopened)(void *data, int err, const char *why), void *data)
{
	struct rotation *r = &file_port_of(p)->rotation;

	return r->port ? rotation_reopen(r, reopened, data) : -EOPNOTSUPP;
}

void file_sink_reopen_forget(struct port *p, const void *data)
{
	rotation_forget(&file_port_of(p)->rotation, data);
}

int file_sink_report(struct port *p, struct port_report *report)
{
	const struct rotation *r = &file_port_of(p)->rotation;

	report->rotations = r->count;
	report->file = r->port ? strdup(rotation_path(r)) : NULL;
	return r->port && !report->file ? -ENOMEM : 0;
}
