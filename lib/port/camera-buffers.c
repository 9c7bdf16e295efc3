/* The driver's buffers, of whatever memory: V4L2's streaming calls, with one plane or in the plain form. */
#include <errno.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>

#include "camera-device.h"

int camera_ioctl(const struct camera *cam, unsigned long request, void *arg)
{
	int err;

	do
		err = ioctl(cam->fd, request, arg);
	while (err < 0 && errno == EINTR);
	return err < 0 ? -errno : 0;
}

/* A buffer as the calls want it, with @plane where the device has planes. */
static struct v4l2_buffer camera_buffer(const struct camera *cam, unsigned index, struct v4l2_plane *plane)
{
	struct v4l2_buffer buf = { .type = cam->type, .memory = cam->memory, .index = index };

	if (V4L2_TYPE_IS_MULTIPLANAR(cam->type)) {
		buf.m.planes = plane;
		buf.length = 1;
	}
	return buf;
}

int camera_request(struct camera *cam, uint32_t memory)
{
	struct v4l2_requestbuffers req = { .count = CAMERA_BUFFERS, .type = cam->type, .memory = memory };
	int err = camera_ioctl(cam, VIDIOC_REQBUFS, &req);

	if (err)
		return err;
	cam->memory = memory;
	cam->count = req.count;
	if (req.count >= 2 && req.count <= CAMERA_BUFFERS_MAX)
		return 0;
	camera_free(cam);
	return -ENOMEM;
}

int camera_query(const struct camera *cam, unsigned index, off_t *offset, size_t *len)
{
	struct v4l2_plane plane = { 0 };
	struct v4l2_buffer buf = camera_buffer(cam, index, &plane);
	int err = camera_ioctl(cam, VIDIOC_QUERYBUF, &buf);

	if (V4L2_TYPE_IS_MULTIPLANAR(cam->type)) {
		*offset = plane.m.mem_offset;
		*len = plane.length;
	} else {
		*offset = buf.m.offset;
		*len = buf.length;
	}
	return err;
}

int camera_queue(const struct camera *cam, unsigned index, void *mem, size_t len)
{
	struct v4l2_plane plane = { .length = (uint32_t)len, .m.userptr = (unsigned long)mem };
	struct v4l2_buffer buf = camera_buffer(cam, index, &plane);

	if (!V4L2_TYPE_IS_MULTIPLANAR(cam->type)) {
		buf.length = (uint32_t)len;
		buf.m.userptr = (unsigned long)mem;
	}
	return camera_ioctl(cam, VIDIOC_QBUF, &buf);
}

int camera_dequeue(struct camera *cam)
{
	struct v4l2_plane plane = { 0 };
	struct v4l2_buffer buf = camera_buffer(cam, 0, &plane);
	int err = camera_ioctl(cam, VIDIOC_DQBUF, &buf);

	if (err)
		return err;
	if (buf.index >= cam->count)
		return -EIO;
	cam->frame = (struct camera_frame){
		.index = buf.index,
		.len = buf.bytesused,
		.sequence = buf.sequence,
		.broken = buf.flags & V4L2_BUF_FLAG_ERROR,
	};
	if (V4L2_TYPE_IS_MULTIPLANAR(cam->type)) {
		cam->frame.offset = plane.data_offset;
		cam->frame.len = plane.bytesused > plane.data_offset ? plane.bytesused - plane.data_offset : 0;
	}
	return 0;
}

int camera_stream(const struct camera *cam)
{
	int type = (int)cam->type;

	return camera_ioctl(cam, VIDIOC_STREAMON, &type);
}

void camera_free(struct camera *cam)
{
	struct v4l2_requestbuffers req = { .type = cam->type, .memory = cam->memory };
	int type = (int)cam->type;

	camera_ioctl(cam, VIDIOC_STREAMOFF, &type);
	camera_ioctl(cam, VIDIOC_REQBUFS, &req);
	cam->count = 0;
}
