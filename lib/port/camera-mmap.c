/*
 * Frames in the driver's own memory, copied into the pipe. Not vmspliced: a pipe would refer to a buffer when the
 * driver fills it again. A buffer is the driver's again once its frame is through.
 */
#include <errno.h>
#include <linux/videodev2.h>
#include <sys/mman.h>

#include "camera-device.h"

static void camera_mmap_stop(struct camera *cam)
{
	for (unsigned i = 0; i < cam->count; i++)
		if (cam->mmap.mem[i])
			munmap(cam->mmap.mem[i], cam->mmap.len[i]);
	camera_free(cam);
}

static int camera_mmap_buffer(struct camera *cam, unsigned index)
{
	off_t offset;
	int err = camera_query(cam, index, &offset, &cam->mmap.len[index]);
	void *mem;

	if (err)
		return err;
	mem = mmap(NULL, cam->mmap.len[index], PROT_READ, MAP_SHARED, cam->fd, offset);
	if (mem == MAP_FAILED)
		return -errno;
	cam->mmap.mem[index] = mem;
	return camera_queue(cam, index, NULL, 0);
}

static int camera_mmap_start(struct camera *cam)
{
	int err = camera_request(cam, V4L2_MEMORY_MMAP);

	if (err)
		return err;
	for (unsigned i = 0; i < cam->count; i++)
		cam->mmap.mem[i] = NULL;
	for (unsigned i = 0; !err && i < cam->count; i++)
		err = camera_mmap_buffer(cam, i);
	if (!err)
		err = camera_stream(cam);
	if (err)
		camera_mmap_stop(cam);
	return err;
}

static int camera_mmap_next(struct camera *cam)
{
	int err = camera_dequeue(cam);

	if (err)
		return err;
	return cam->frame.offset + cam->frame.len > cam->mmap.len[cam->frame.index] ? -EIO : 0;
}

static const char *camera_mmap_memory(const struct camera *cam)
{
	return cam->mmap.mem[cam->frame.index];
}

static int camera_mmap_release(struct camera *cam)
{
	return camera_queue(cam, cam->frame.index, NULL, 0);
}

const struct camera_method camera_mmap = {
	.name = "mmap",
	.start = camera_mmap_start,
	.next = camera_mmap_next,
	.memory = camera_mmap_memory,
	.move = camera_copy,
	.release = camera_mmap_release,
	.stop = camera_mmap_stop,
};
