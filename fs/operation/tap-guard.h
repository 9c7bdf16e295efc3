/* Tap guard: root may not write a tap either. */
#pragma once

#include <fuse_lowlevel.h>
#include <stdbool.h>

struct node;

/*
 * Whether the request, which asks for the attributes of @node, is a part of opening a tap for writing, by somebody to
 * whom the kernel does not apply modes. Reads /proc; see the file for what it cannot tell.
 */
bool tap_guard_refuses(fuse_req_t req, const struct node *node);
