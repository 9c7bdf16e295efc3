/* file:/PATH, a file or whatever else has a path and can be read or written: a disk, a device, a FIFO. */
#include "kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "open-path.h"
#include "port-file.h"
#include "port-stream.h"
#include "rotation.h"
#include "sink-options.h"
#include "uri-address.h"
#include "uri-option.h"

static const struct uri_option file_create = {
	.name = "create",
	.dirs = PORT_SINKS,
	.parse = uri_option_octal,
	.what = "an octal mode",
	.max = 0777,
	.preset = 0644,
};

static int kind_file_parse(struct uri *uri, char *address, char why[URI_WHY_MAX])
{
	if (uri_value(uri, &file_rotate))
		return uri_address_series(uri, address, PATH_MAX, why);
	return uri_address_path(uri, address, PATH_MAX, why);
}

static int kind_file_check(const struct uri *uri, char why[URI_WHY_MAX])
{
	uint64_t length = uri_value(uri, &file_length);

	if (uri_value(uri, &file_keep) && !uri_value(uri, &file_rotate))
		return uri_refuse(why, -EINVAL, "option 'keep': it goes with rotate alone");
	if (length == FILE_TO_END || length <= INT64_MAX - uri_value(uri, &file_offset))
		return 0;
	return uri_refuse(why, -ERANGE, "option 'length': it ends behind the largest file");
}

/* A regular file is emptied, unless what is in it stays, and whatever may wait for a peer is made not to. */
static int kind_file_make_ready(struct attempt *a, int fd, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (a->dir == PORT_SOURCE)
		file_port_advise(fd);
	if (S_ISBLK(st->st_mode))
		return 0;
	if (!S_ISREG(st->st_mode) && uri_value(&a->uri, &file_rotate))
		return -EINVAL;
	if (!S_ISREG(st->st_mode))
		return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
	if (a->dir == PORT_SOURCE || uri_value(&a->uri, &file_append))
		return 0;
	if (a->after.follows)
		a->opened.position = (uint64_t)st->st_size;
	else if (ftruncate(fd, 0) < 0)
		return -errno;
	return 0;
}

static int kind_file_open_one(struct attempt *a, int flags, struct stat *st)
{
	mode_t mode = (mode_t)uri_value(&a->uri, &file_create);
	_cleanup_free_ char *format = NULL;
	int fd;

	if (!uri_value(&a->uri, &file_rotate))
		return open_path(a, flags, mode, st);
	format = strdup(a->uri.path);
	if (!format)
		return attempt_failed(a, "open", -ENOMEM);
	fd = series_open(a, flags, mode, flags & O_APPEND && !a->after.follows, st);
	if (fd < 0)
		return fd;
	if (a->after.removes)
		series_remove(a, format, &a->after.oldest);
	a->opened.path = strdup(a->uri.path);
	return fd;
}

static int kind_file_open(struct attempt *a)
{
	int flags = a->dir == PORT_SINK ? O_WRONLY | O_CREAT : O_RDONLY;
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int err;

	if (uri_value(&a->uri, &file_append))
		flags |= O_APPEND;
	umask(0); /* the mode is said outright */
	fd = kind_file_open_one(a, flags, &st);
	if (fd < 0)
		return fd;
	err = a->dir == PORT_SINK ? file_port_claim(a, fd) : 0;
	if (err < 0)
		return err;
	err = kind_file_make_ready(a, fd, &st);
	if (err < 0)
		return attempt_failed(a, "open", err);
	a->opened.fd = fd_take(&fd);
	return 0;
}

static const struct uri_option *const file_options[] = {
	&file_offset, &file_length, &file_append, &file_create, &file_rotate,
	&file_keep,   &sink_retry,  SINK_OPTIONS, NULL,
};

static const struct port_ops *const file_ops[] = { &port_file_source, &port_file_sink, &port_stream, NULL };

const struct port_kind port_kind_file = {
	.name = "file",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.form = "PATH",
	.path = true,
	.parse = kind_file_parse,
	.check = kind_file_check,
	.options = file_options,
	.open = kind_file_open,
	.ops = file_ops,
};
