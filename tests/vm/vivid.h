/* Cameras of the driver vivid, and calls to them that fail when they are told to. All end the test on failure. */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "camera.h"
#include "pipe.h"

/* Opens the capture device of @card, "vivid-000" and so on, O_NONBLOCK. */
int vivid_open(const char *card);

/* Sets the control that is named @name. */
void vivid_control(int fd, const char *name, int value);

/* camera_next(), waiting for it, by another method where need be. */
int vivid_next(struct camera *cam);

/* A pipe for a frame. */
struct pipe vivid_pipe(void);

/* The memfd of the camera in this process. Not owned. */
int vivid_memfd(void);

/* Whether this process has a camera open. */
int vivid_is_open(void);

int vivid_count_fds(void);

/* The @request (and no other) fails with the errno @err after so many went well, only @once or for ever. */
struct vivid_fault {
	unsigned long request;
	int err;
	unsigned after;
	int once;
};

extern struct vivid_fault vivid_fault;

/* Takes so many bytes more off each frame than off the one before: as a compressed format does. */
extern size_t vivid_shorten;

/* Of the frames that the driver gave: the first and last sequence, and how many broken ones. */
extern uint32_t vivid_first, vivid_sequence;
extern unsigned vivid_broken;

/* Who has made a call to a driver that may wait, last: its thread; not 0 where somebody has. */
extern atomic_int vivid_waiter;

/* Who stops a camera waits for it, unless it is NULL. */
extern sem_t *_Atomic vivid_hold;
