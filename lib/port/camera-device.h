/*
 * The inside of a camera, for camera*.c only: the device, the frame at hand, and the ways to get frames.
 *
 * Order: start, then next and release in turns with any number of moves between them, then stop. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "camera.h"

/* Buffers asked of the driver: one is filled, one waits to be taken, and two for when we are late. */
#define CAMERA_BUFFERS 4

/* More than was asked for is a driver's right. */
#define CAMERA_BUFFERS_MAX 32

struct camera_frame {
	unsigned index;    /* the driver's buffer */
	size_t offset;     /* of the first byte in the buffer */
	size_t len;        /* bytes; compressed formats vary */
	uint32_t sequence; /* counts the frames that the device made, lost ones too; 0 where unknown */
	bool broken;
};

struct camera_method {
	const char *name;
	/* Begins capturing. Returns 0, or a negative errno with nothing left behind. */
	int (*start)(struct camera *cam);
	/* Takes a frame into cam->frame. Returns 0, -EAGAIN, or a negative errno. */
	int (*next)(struct camera *cam);
	/* Where it is in memory, from the beginning of its buffer on. */
	const char *(*memory)(const struct camera *cam);
	/* Moves what is left of it into @pipe. Returns bytes (not 0) or a negative errno. */
	ssize_t (*move)(struct camera *cam, int pipe);
	/* The frame is not needed any more. Returns 0 or a negative errno: then this method cannot go on. */
	int (*release)(struct camera *cam);
	void (*stop)(struct camera *cam);
};

extern const struct camera_method camera_userptr, camera_mmap, camera_read;

struct camera {
	int fd;
	uint32_t caps;   /* V4L2_CAP_* of this node */
	uint32_t type;   /* V4L2_BUF_TYPE_VIDEO_CAPTURE or its _MPLANE, then with one plane */
	uint32_t memory; /* V4L2_MEMORY_* */
	unsigned count;  /* of the driver's buffers */
	size_t size;     /* of a frame at most, in bytes */
	char format[48];

	const struct camera_method *method; /* NULL: none goes on */
	int refused;                        /* a negative errno: the method ends with the frame at hand */
	bool at_hand;
	struct camera_frame frame;
	size_t moved; /* bytes of it */
	bool any;     /* a frame has come before, with number: */
	uint32_t sequence;
	struct camera_counts counts;

	union {
		struct {
			int memfd;
			char *mem;
			size_t slot_size;                   /* whole pages */
			unsigned slots[CAMERA_BUFFERS_MAX]; /* of each of the driver's buffers */
			unsigned spare;                     /* the slot of no buffer: with the frame at hand, or free */
		} userptr;
		struct {
			char *mem[CAMERA_BUFFERS_MAX];
			size_t len[CAMERA_BUFFERS_MAX];
		} mmap;
		char *read;
	};
};

/* ioctl(2), again after a signal. Returns 0 or a negative errno. */
int camera_ioctl(const struct camera *cam, unsigned long request, void *arg);

/* Finds out what @cam->fd is, and agrees on a format. Returns 0, or a negative errno with the reason in @why. */
int camera_negotiate(struct camera *cam, const struct camera_wish *wish, char why[URI_WHY_MAX]);

/*
 * The driver's buffers of kind @memory. Each returns 0 or a negative errno. camera_free() stops the stream as well.
 * camera_queue(): @mem and @len are for V4L2_MEMORY_USERPTR, else NULL and 0.
 */
int camera_request(struct camera *cam, uint32_t memory);
int camera_queue(const struct camera *cam, unsigned index, void *mem, size_t len);
int camera_dequeue(struct camera *cam);
int camera_query(const struct camera *cam, unsigned index, off_t *offset, size_t *len);
int camera_stream(const struct camera *cam);
void camera_free(struct camera *cam);

/* Writes what is left of the frame at hand into @pipe: a copy. */
ssize_t camera_copy(struct camera *cam, int pipe);
