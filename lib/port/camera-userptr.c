/*
 * Frames by reference: the driver fills pages of a memfd, which are spliced into the pipe.
 *
 * A pipe may refer to a frame's pages long after, so the driver must never get them again. Once a frame is
 * through, its range of the memfd is made a hole: the pipes keep the pages, and the next use finds new ones.
 * The driver keeps a buffer's pages pinned for as long as the buffer is queued with the same address
 * (__prepare_userptr of videobuf2-core.c), so each buffer is queued with another slot than before: there is one
 * slot more than buffers, the spare, and a buffer whose frame was taken is queued again at once with it. That
 * unpins the frame, which is then in the spare slot.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"
#include "camera-device.h"
#include "sys.h"

static size_t camera_userptr_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static off_t camera_userptr_slot(const struct camera *cam, unsigned slot)
{
	return (off_t)(slot * cam->userptr.slot_size);
}

static int camera_userptr_queue(struct camera *cam, unsigned index, unsigned slot)
{
	cam->userptr.slots[index] = slot;
	return camera_queue(cam, index, cam->userptr.mem + camera_userptr_slot(cam, slot), cam->userptr.slot_size);
}

/* Makes the slots of the camera's buffers, and the spare. */
static int camera_userptr_make_slots(struct camera *cam)
{
	size_t page = camera_userptr_page(), total;
	char *mem;

	cam->userptr.slot_size = (cam->size + page - 1) / page * page;
	cam->userptr.spare = cam->count;
	cam->userptr.memfd = memfd_create("spfs-camera", MFD_CLOEXEC);
	if (cam->userptr.memfd < 0)
		return -errno;
	total = (cam->count + 1) * cam->userptr.slot_size;
	if (ftruncate(cam->userptr.memfd, (off_t)total) < 0)
		return -errno;
	mem = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_SHARED, cam->userptr.memfd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	cam->userptr.mem = mem;
	return 0;
}

static void camera_userptr_stop(struct camera *cam)
{
	size_t total = (cam->count + 1) * cam->userptr.slot_size;

	camera_free(cam);
	if (cam->userptr.mem)
		munmap(cam->userptr.mem, total);
	cam->userptr.mem = NULL;
	fd_close(&cam->userptr.memfd);
}

static int camera_userptr_start(struct camera *cam)
{
	int err = camera_request(cam, V4L2_MEMORY_USERPTR);

	if (err)
		return err;
	cam->userptr.mem = NULL;
	err = camera_userptr_make_slots(cam);
	for (unsigned i = 0; !err && i < cam->count; i++)
		err = camera_userptr_queue(cam, i, i);
	if (!err)
		err = camera_stream(cam);
	if (err)
		camera_userptr_stop(cam);
	return err;
}

static int camera_userptr_next(struct camera *cam)
{
	int err = camera_dequeue(cam);
	unsigned slot;

	if (err)
		return err;
	slot = cam->userptr.slots[cam->frame.index];
	if (cam->frame.offset + cam->frame.len > cam->userptr.slot_size)
		return -EIO;
	/* Where it is refused, this frame is still good. */
	cam->refused = camera_userptr_queue(cam, cam->frame.index, cam->userptr.spare);
	cam->userptr.spare = slot;
	if (lseek(cam->userptr.memfd, camera_userptr_slot(cam, slot) + (off_t)cam->frame.offset, SEEK_SET) < 0)
		return -errno;
	return 0;
}

/* The frame that was taken is in the spare slot. */
static const char *camera_userptr_memory(const struct camera *cam)
{
	return cam->userptr.mem + camera_userptr_slot(cam, cam->userptr.spare);
}

static ssize_t camera_userptr_move(struct camera *cam, int pipe)
{
	size_t page = camera_userptr_page(), start = cam->frame.offset + cam->moved;
	ssize_t n = sys.splice(cam->userptr.memfd, pipe, cam->frame.len - cam->moved);

	if (n > 0)
		cam->counts.pages_ref += (start + (size_t)n - 1) / page - start / page + 1;
	return n;
}

static int camera_userptr_release(struct camera *cam)
{
	if (!cam->moved)
		return 0;
	return fallocate(cam->userptr.memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 camera_userptr_slot(cam, cam->userptr.spare), (off_t)cam->userptr.slot_size) < 0 ?
		       -errno :
		       0;
}

const struct camera_method camera_userptr = {
	.name = "userptr",
	.start = camera_userptr_start,
	.next = camera_userptr_next,
	.memory = camera_userptr_memory,
	.move = camera_userptr_move,
	.release = camera_userptr_release,
	.stop = camera_userptr_stop,
};
