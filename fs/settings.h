/* Settings (setting.h) of channels, taps and the mount, as they are asked for: who may, and on their way to workers. */
#pragma once

#include "rights.h"
#include "server.h"

/*
 * The terms of what @r makes on the channel of @inode: the defaults, on their account. Who may not write the channel
 * cannot hold its writer back. Returns 0 or -ENOMEM.
 */
int settings_terms(struct server *s, const struct rights *r, const struct inode *inode, struct terms *terms);
