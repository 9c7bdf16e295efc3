/*
 * The attributes of a channel, one file a group:
 *
 *   spfs.tee    set: makes a tap of that name, relative to the channel's folder; on a tap: the origin's
 *               path, and removing it removes the tap
 *   spfs.taps   a JSON array of the taps' paths in the mount
 *   spfs.stats  one JSON object
 *   spfs.source, spfs.sink   set: attaches a URI (uri.h); never read
 *   spfs.ports  a JSON array
 *   spfs.detach set: a port's id; never read
 *   spfs.flush  set: to anything; what waits in the tap, or in the channel's replay, goes; never read
 *   spfs.size, spfs.depth and the other settings: see setting.h for which name has which
 *
 * But for settings, the same answer comes for every name of the channel.
 */
#pragma once

#include "xattr-attribute.h"

extern const struct xattr_attribute xattr_tee[], xattr_stats[], xattr_ports[], xattr_flush[];

/* Made once, of the table of settings. */
const struct xattr_attribute *xattr_settings(void);

/*
 * While an attribute is set the kernel keeps the name locked, and its folder too once somebody wants to remove
 * or link it. So what takes longer to open, or to close, is ETIMEDOUT here; the control socket waits without end. Who waits
 * for the worker as well is answered by then (job_deadline()): within 5 s, all in all.
 */
#define XATTR_PATIENCE_NSEC (JOB_PATIENCE_NSEC + 500000000ul)
