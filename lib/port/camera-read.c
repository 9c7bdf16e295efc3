/* Frames by read(2), one a call, for drivers that have nothing else: copied twice. Frames that are lost do not show. */
#include <errno.h>
#include <linux/videodev2.h>
#include <stdlib.h>

#include "camera-device.h"
#include "sys.h"

static void camera_read_stop(struct camera *cam)
{
	free(cam->read);
	cam->read = NULL;
}

static int camera_read_next(struct camera *cam)
{
	ssize_t n = sys.read(cam->fd, cam->read, cam->size);

	if (n < 0)
		return (int)n;
	cam->counts.copies++;
	cam->frame = (struct camera_frame){ .len = (size_t)n };
	return 0;
}

/* The first read starts the device, and is refused where another process has it. Its frame, if any, is not kept. */
static int camera_read_start(struct camera *cam)
{
	int err;

	if (!(cam->caps & V4L2_CAP_READWRITE))
		return -ENOTTY;
	cam->read = malloc(cam->size);
	if (!cam->read)
		return -ENOMEM;
	err = camera_read_next(cam);
	if (!err || err == -EAGAIN)
		return 0;
	camera_read_stop(cam);
	return err;
}

static const char *camera_read_memory(const struct camera *cam)
{
	return cam->read;
}

static int camera_read_release(struct camera *cam)
{
	return 0;
}

const struct camera_method camera_read = {
	.name = "read",
	.start = camera_read_start,
	.next = camera_read_next,
	.memory = camera_read_memory,
	.move = camera_copy,
	.release = camera_read_release,
	.stop = camera_read_stop,
};
