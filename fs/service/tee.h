/* Taps: making and removing a channel's further names. */
#pragma once

#include "server.h"

/*
 * Makes a tap named @name in @dir of the channel that @node names. Answers the request itself: an
 * entry for link(2) (@entry), else 0; or an errno.
 */
void tee_add(fuse_req_t req, struct node *node, struct node *dir, const char *name, bool entry);

void tee_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname);

/*
 * A FIFO that a worker has opened by its number is cached in the kernel under that name, and known there until
 * memory is short. On a worker: the kernel locks the folder, so the FUSE thread, which answers look-ups in it, may
 * not wait for this.
 */
void tee_forget_number(struct server *s, uint64_t id);

/*
 * As tee_add() for the daemon itself, with @settings of the tap's own, on the account of the channel's owner; only a
 * failure is told, in the log. The tap is in its place at once. Returns 0 or a negative errno.
 */
int tee_declare(struct server *s, struct node *node, struct node *dir, const char *name,
		const struct settings *settings);

/* A name was taken away: @tap says what it was. The channel goes with the last one. */
void tee_name_gone(struct server *s, struct node *node, bool tap);

/* Makes the inode's channel object where there is none. Returns 0, -ENOMEM, or -EDQUOT of the channel's owner. */
int tee_channel(struct server *s, struct node *node);

/*
 * Makes the channel object of a new channel, with @settings of its own, and puts in force what needs no tap. Returns 0
 * or -ENOMEM; what fails later is logged.
 */
int tee_begin(struct server *s, struct node *node, const struct settings *settings);

/* The end of the daemon: every channel goes, with what it holds. */
void tee_leave(struct server *s);

/* Lets the channel object go where nothing needs it any more. */
void tee_channel_put(struct server *s, struct inode *inode);
