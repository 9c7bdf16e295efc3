/* The settings as attributes, "spfs." and the name: see setting.h for which name has which. */
#pragma once

#include "server.h"

/* The key of the attribute @name; -1: it is none of these. */
int xattr_settings_find(const char *name);

/* @value is a string. */
void xattr_settings_set(fuse_req_t req, struct node *node, enum setting_key key, const char *value);

/* ENODATA where the node has no such setting. */
void xattr_settings_get(fuse_req_t req, struct node *node, enum setting_key key, size_t size);

/* Room for the names of all of them in a listxattr(2). */
#define XATTR_SETTINGS_LIST_MAX 256

/* Writes the names of those that the node has, each with its zero byte. Returns the bytes. */
size_t xattr_settings_list(const struct server *s, const struct node *node, char list[XATTR_SETTINGS_LIST_MAX]);
