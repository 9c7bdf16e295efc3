/* Folders: what is found in one by name, and where a name may be made. */
#pragma once

#include "context.h"

extern const char folder_admin_name[];   /* ".spfs" */
extern const char folder_numbers_name[]; /* "fifos" */
extern const char folder_control_name[]; /* "control" */
extern const char folder_door_name[];

/* Whether the node is the daemon's own and not to be changed. */
bool folder_is_admin(const struct context *ctx, const struct node *node);

/* A folder that has not been removed. @dir may be NULL. */
bool folder_is_there(const struct context *ctx, const struct node *dir);

/* The node that a user finds by @name in @dir; NULL: there is none, or none yet. */
struct node *folder_find(struct context *ctx, struct node *dir, const char *name);

/* The node that the daemon's own bind(2) of @name in @dir makes; NULL: it is none of these, or bound. */
struct node *folder_to_bind(const struct context *ctx, fuse_ino_t dir, const char *name);

/* Whether @name, or the path to it, would be too long in @dir. */
bool folder_is_too_long(const struct node *dir, const char *name);

/*
 * The folder of number @parent if @name may be made in it, after every check that the kernel has not made: *dir. Returns
 * 0 or a negative errno.
 */
int folder_for_new(struct context *ctx, fuse_ino_t parent, const char *name, struct node **dir);
