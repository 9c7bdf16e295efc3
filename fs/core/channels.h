/*
 * Channels: all of the mount by their numbers (st_ino), which only grow, and the names of each by theirs. So whoever goes
 * through them can stop at any, and go on behind its number later, whatever has become of it.
 */
#pragma once

#include "node.h"

void channels_init(struct channels *all);

/* From the making of the inode to its end, with names or without. */
void channels_add(struct channels *all, struct inode *inode);
void channels_remove(struct channels *all, struct inode *inode);

/* The first one behind @ino; 0: the first of all. NULL: none. */
struct inode *channels_after(const struct channels *all, uint64_t ino);

void channels_init_names(struct inode *inode);
void channels_add_name(struct inode *inode, struct node *node);
void channels_remove_name(struct inode *inode, struct node *node);

/* The first name behind node number @id, with those that are not to be seen yet; 0: the oldest. NULL: none. */
struct node *channels_name_after(const struct inode *inode, uint64_t id);
