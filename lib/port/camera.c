/*
 * A frame is at hand from camera_next() to the camera_move() that returns 0, or camera_drop(). A method that the
 * driver turns down, at the start or later, makes room for the next one.
 */
#include "camera.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "camera-device.h"
#include "sys.h"

static const struct camera_method *const methods[] = { &camera_userptr, &camera_mmap, &camera_read };

#define METHODS (sizeof(methods) / sizeof(methods[0]))

/* Starts with the first of the methods from @from on that the device accepts. */
static int camera_start_from(struct camera *cam, size_t from)
{
	int err = cam->refused;

	cam->refused = 0;
	cam->any = false;
	for (size_t i = from; i < METHODS; i++) {
		int refused = methods[i]->start(cam);

		if (!refused) {
			cam->method = methods[i];
			return 0;
		}
		/* A call that the driver does not have says less than what another one said. */
		if (!err || refused != -ENOTTY)
			err = refused;
	}
	return err;
}

int camera_fall_back(struct camera *cam)
{
	size_t i = 0;
	int err;

	while (i < METHODS && methods[i] != cam->method)
		i++;
	cam->method->stop(cam);
	err = camera_start_from(cam, i + 1);
	if (err) {
		cam->method = NULL;
		cam->refused = err;
	}
	return err;
}

int camera_open(struct camera **cam, int fd, const struct camera_wish *wish, char why[URI_WHY_MAX])
{
	struct camera *c = calloc(1, sizeof(*c));
	int err;

	if (!c) {
		fd_close(&fd);
		snprintf(why, URI_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	c->fd = fd;
	err = camera_negotiate(c, wish, why);
	if (!err) {
		err = camera_start_from(c, 0);
		if (err)
			snprintf(why, URI_WHY_MAX, "cannot capture: %s", strerror(-err));
	}
	if (err) {
		camera_close(c);
		return err;
	}
	*cam = c;
	return 0;
}

int camera_fd(const struct camera *cam)
{
	return cam->fd;
}

const char *camera_method(const struct camera *cam)
{
	return cam->method ? cam->method->name : "none";
}

const char *camera_format(const struct camera *cam)
{
	return cam->format;
}

/* Gives the frame at hand back. */
static void camera_release(struct camera *cam)
{
	int err = cam->method->release(cam);

	if (err)
		cam->refused = err;
	cam->at_hand = false;
}

/* Counts the frames between the last one and this. (Two fields of one frame may share a number.) */
static void camera_count_gap(struct camera *cam)
{
	int32_t step = (int32_t)(cam->frame.sequence - cam->sequence);

	if (cam->any && step > 1)
		cam->counts.dropped += (uint64_t)step - 1;
	cam->any = true;
	cam->sequence = cam->frame.sequence;
}

int camera_next(struct camera *cam)
{
	for (;;) {
		int err;

		if (cam->refused)
			return cam->method ? 0 : cam->refused;
		err = cam->method->next(cam);
		if (err)
			return err;
		camera_count_gap(cam);
		cam->moved = 0;
		cam->at_hand = true;
		if (!cam->frame.broken && cam->frame.len)
			return 1;
		camera_drop(cam);
	}
}

ssize_t camera_move(struct camera *cam, int pipe)
{
	ssize_t n;

	if (!cam->at_hand)
		return 0;
	if (cam->moved == cam->frame.len) {
		camera_release(cam);
		cam->counts.frames++;
		return 0;
	}
	n = cam->method->move(cam, pipe);
	if (n == 0)
		return -EIO;
	if (n > 0)
		cam->moved += (size_t)n;
	return n;
}

const char *camera_rest(const struct camera *cam, size_t *len)
{
	*len = cam->at_hand ? cam->frame.len - cam->moved : 0;
	return *len ? cam->method->memory(cam) + cam->frame.offset + cam->moved : NULL;
}

ssize_t camera_copy(struct camera *cam, int pipe)
{
	size_t len;
	const char *rest = camera_rest(cam, &len);
	ssize_t n = sys.write(pipe, rest, len);

	if (n > 0)
		cam->counts.copies++;
	return n;
}

void camera_drop(struct camera *cam)
{
	if (!cam->at_hand)
		return;
	camera_release(cam);
	cam->counts.dropped++;
}

void camera_counts(const struct camera *cam, struct camera_counts *counts)
{
	*counts = cam->counts;
}

void camera_close(struct camera *cam)
{
	if (!cam)
		return;
	if (cam->method)
		cam->method->stop(cam);
	fd_close(&cam->fd);
	free(cam);
}
