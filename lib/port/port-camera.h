/* A port on a camera: what its kind names of it in its row. */
#pragma once

#include "port-ops.h"
#include "uri-option.h"

struct camera;

extern const struct port_ops port_camera;

/* How many frames, 0: for ever. */
extern const struct uri_option camera_frames;

/* What an opening yields of @cam, which is its own. */
struct opened camera_opened(struct camera *cam);
