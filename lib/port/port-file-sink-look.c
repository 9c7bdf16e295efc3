/*
 * Whether the file of a sink has become shorter.
 *
 * Who rotates a log may copy it and truncate it (copytruncate of logrotate(8)). What is written behind the end then would make a
 * hole of zeros: so before each write it is looked whether the file has become shorter, and what follows goes to its end. It may
 * be truncated in between; what is appended has no such moment. The look goes by the lane as the write does, for
 * a file system is asked, and may not answer; but not where it is known to have the answer (struct opened). Where the look
 * fails, the bytes go where the sink is.
 */
#include "port-file-sink-parts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "channel.h"
#include "log.h"

bool file_sink_doubts(const struct file_port *f)
{
	return f->looked.buf && !f->sure && f->offset > f->port.config.opened.position;
}

/*
 * There are files that show no size, or another's than that of what was written: so one that never has shown a size as large as
 * where the sink is has not become shorter.
 */
void file_sink_see(struct file_port *f)
{
	const struct statx *st = (const void *)f->looked.buf;
	const struct port *p = &f->port;

	if (st->stx_size >= f->offset) {
		f->shown = true;
	} else if (f->shown) {
		log_user_info(p->config.rights.uid, "%s: port %u, %s: was truncated; goes on at its end",
			      p->channel->label, p->id, p->config.uri.text);
		f->offset = st->stx_size;
	}
}

bool file_sink_look(struct file_port *f)
{
	const struct opened *o = &f->port.config.opened;

	if (o->local) {
		if (statx(o->fd, "", AT_EMPTY_PATH, STATX_SIZE, (void *)f->looked.buf) == 0)
			file_sink_see(f);
		return true;
	}
	loop_io_statx(&f->look, f->port.config.opened.fd, STATX_SIZE, f->looked.buf, f->looked.size);
	return false;
}
