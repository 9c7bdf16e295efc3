/*
 * A camera: a V4L2 capture device, frame by frame into a pipe.
 *
 * How the pages come (DESIGN: what works on the device, in this order):
 *   userptr  the driver fills pages of a memfd, which are spliced: by reference. Each frame has fresh pages, for
 *            a pipe may refer to the old ones for long after.
 *   mmap     the driver's own buffers; it will fill them again, so a frame is copied into the pipe.
 *   read     read(2), for drivers without streaming.
 *
 * The device was opened with the rights of who asked; the calls that take a frame and give its buffer back are the worker's
 * own afterwards. V4L2 asks for no rights in those, and they do not wait (O_NONBLOCK). All others do as the driver likes, and
 * perhaps as who feeds it likes (v4l2loopback): they have a thread of their own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "uri.h"

struct camera;

/* What is to be delivered; 0: as the device likes. */
struct camera_wish {
	unsigned width, height, fps;
	uint32_t format; /* a V4L2 fourcc */
};

/*
 * Takes @fd (O_NONBLOCK), negotiates the format of @wish, starts. May block for as long as the driver likes, so
 * on an opener's thread. Returns 0, or a negative errno with the reason in @why and @fd closed.
 */
int camera_open(struct camera **cam, int fd, const struct camera_wish *wish, char why[URI_WHY_MAX]);

/* POLLIN when a frame is there, POLLERR when the device has gone. Not owned. */
int camera_fd(const struct camera *cam);

/* "userptr", "mmap" or "read", and the format as text: "640x360 YUYV 30 fps". */
const char *camera_method(const struct camera *cam);
const char *camera_format(const struct camera *cam);

/*
 * Takes the next frame from the driver; there must be none at hand. Never blocks. Returns 1, 0 where the driver is to be
 * asked for them in another way (camera_fall_back() before the next), -EAGAIN if there is none yet, or a negative errno
 * (ENODEV: unplugged).
 */
int camera_next(struct camera *cam);

/*
 * Stops, and starts with the next method that the driver accepts. May block as camera_open() does. Returns 0 or a negative
 * errno: there is none.
 */
int camera_fall_back(struct camera *cam);

/*
 * Moves the next bytes of the frame at hand into the pipe @pipe. Returns bytes, 0 once the frame is through (its
 * buffer is the driver's again), -EAGAIN where the pipe is full, or a negative errno.
 */
ssize_t camera_move(struct camera *cam, int pipe);

/* What is left of the frame at hand, in the device's memory: *len bytes, until the next call. NULL: nothing. */
const char *camera_rest(const struct camera *cam, size_t *len);

/* Drops the frame at hand and counts it. */
void camera_drop(struct camera *cam);

struct camera_counts {
	uint64_t frames;    /* moved */
	uint64_t dropped;   /* by camera_drop(), by the driver (gaps of the sequence), and broken ones */
	uint64_t pages_ref; /* pages moved by reference */
	uint64_t copies;    /* calls that copied */
};

void camera_counts(const struct camera *cam, struct camera_counts *counts);

/* Stops the device and closes it. NULL-safe. Pages that pipes refer to stay. */
void camera_close(struct camera *cam);
