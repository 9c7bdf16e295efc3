/* v4l2:/dev/videoN, a camera: a source only. */
#include "kinds.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "camera.h"
#include "open-path.h"
#include "port-camera.h"
#include "uri-address.h"
#include "uri-option.h"

/* ---- options ---- */

static const struct uri_option v4l2_width = {
	.name = "width",
	.dirs = PORT_SOURCES,
	.parse = uri_option_number,
	.what = "pixels",
	.max = UINT16_MAX,
};

static const struct uri_option v4l2_height = {
	.name = "height",
	.dirs = PORT_SOURCES,
	.parse = uri_option_number,
	.what = "pixels",
	.max = UINT16_MAX,
};

static const struct uri_option v4l2_fps = {
	.name = "fps",
	.dirs = PORT_SOURCES,
	.parse = uri_option_number,
	.what = "a rate",
	.max = 1000,
};

/* Short ones are filled up with spaces, as V4L2's are: "Y16 ". */
static int kind_v4l2_parse_fourcc(const struct uri_option *option, const char *text, uint64_t *value)
{
	size_t n = strlen(text);
	uint32_t code = 0;

	if (n < 1 || n > 4)
		return -EINVAL;
	for (size_t i = 0; i < 4; i++) {
		unsigned char c = i < n ? (unsigned char)text[i] : ' ';

		if (!isascii(c) || !isprint(c))
			return -EINVAL;
		code |= (uint32_t)c << (8 * i);
	}
	*value = code;
	return 0;
}

static const struct uri_option v4l2_format = {
	.name = "format",
	.dirs = PORT_SOURCES,
	.parse = kind_v4l2_parse_fourcc,
	.what = "a fourcc",
};

/* ---- opening ---- */

static int kind_v4l2_parse(struct uri *uri, char *address, char why[URI_WHY_MAX])
{
	return uri_address_path(uri, address, PATH_MAX, why);
}

static int kind_v4l2_open(struct attempt *a)
{
	const struct camera_wish wish = {
		.width = (unsigned)uri_value(&a->uri, &v4l2_width),
		.height = (unsigned)uri_value(&a->uri, &v4l2_height),
		.fps = (unsigned)uri_value(&a->uri, &v4l2_fps),
		.format = (uint32_t)uri_value(&a->uri, &v4l2_format),
	};
	struct camera *cam = NULL;
	struct stat st;
	int fd = open_path(a, O_RDWR | O_NONBLOCK, 0, &st);
	int err = fd < 0 ? fd : camera_open(&cam, fd, &wish, a->why);

	if (err < 0)
		return err;
	a->opened = camera_opened(cam);
	return 0;
}

/* ---- the row ---- */

static const struct uri_option *const v4l2_options[] = {
	&v4l2_width, &v4l2_height, &v4l2_format, &v4l2_fps, &camera_frames, NULL,
};

static const struct port_ops *const v4l2_ops[] = { &port_camera, NULL };

const struct port_kind port_kind_v4l2 = {
	.name = "v4l2",
	.dirs = PORT_SOURCES,
	.form = "DEVICE",
	.path = true,
	.parse = kind_v4l2_parse,
	.options = v4l2_options,
	.open = kind_v4l2_open,
	.ops = v4l2_ops,
};
