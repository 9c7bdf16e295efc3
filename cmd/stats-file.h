/* MOUNTPOINT/.spfs/stats.json: what the caller may be told of a mount and its channels, all of one moment. */
#pragma once

#include <jansson.h>
#include <sys/types.h>

/*
 * Reads it as it is now. Waits for the daemon to make it. *stats is the caller's to free; *dev, where not NULL, is the
 * st_dev of the mount that it was found in. Returns 0 or a negative errno: -EXDEV where there is no such file,
 * -ENOTCONN where the daemon has ended, -EACCES where the mount lets others in only, -ENFILE where the user has many of
 * them open, -EBADMSG where it is not as it should be.
 */
int stats_file_read(const char *root, json_t **stats, dev_t *dev);

/* Waits so many seconds, between two readings. */
void stats_file_wait(double seconds);
