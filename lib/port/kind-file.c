/* file:/PATH, a file or whatever else has a path and can be read or written: a disk, a device, a FIFO. */
#include "kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base.h"
#include "open-path.h"
#include "port-file.h"
#include "port-stream.h"
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
	return uri_address_path(uri, address, PATH_MAX, why);
}

static int kind_file_check(const struct uri *uri, char why[URI_WHY_MAX])
{
	uint64_t length = uri_value(uri, &file_length);

	if (length == FILE_TO_END || length <= INT64_MAX - uri_value(uri, &file_offset))
		return 0;
	return uri_refuse(why, -ERANGE, "option 'length': it ends behind the largest file");
}

/* A regular file is emptied, and whatever may wait for a peer is made not to. */
static int kind_file_make_ready(const struct attempt *a, int fd, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (a->dir == PORT_SOURCE)
		file_port_advise(fd);
	if (S_ISBLK(st->st_mode))
		return 0;
	if (!S_ISREG(st->st_mode))
		return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
	if (a->dir == PORT_SOURCE || uri_value(&a->uri, &file_append))
		return 0;
	return ftruncate(fd, 0) < 0 ? -errno : 0;
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
	fd = open_path(a, flags, (mode_t)uri_value(&a->uri, &file_create), &st);
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
	&file_offset, &file_length, &file_append, &file_create, &sink_retry, SINK_OPTIONS, NULL,
};

static const struct port_ops *const file_ops[] = { &port_file_source, &port_file_sink, &port_stream, NULL };

const struct port_kind port_kind_file = {
	.name = "file",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.path = true,
	.parse = kind_file_parse,
	.check = kind_file_check,
	.options = file_options,
	.open = kind_file_open,
	.ops = file_ops,
};
