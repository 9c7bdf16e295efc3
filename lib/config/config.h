/*
 * The configuration: spfs.conf(5), parsed and checked.
 *
 * Whatever has to be looked up (users, groups) is, when the file is read; so what is read can be applied on a thread
 * that may not wait.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lines.h"
#include "permit.h"
#include "port-report.h"
#include "quota.h"
#include "setting.h"

#define CONFIG_FILE "/etc/spfs/spfs.conf"

#define CONFIG_WORKERS_MAX 64

/* A broadcast name of a channel, as its section says. */
struct declared_each {
	char *name;
	unsigned line;
};

struct declared_port {
	enum port_dir dir;
	char *uri;
};

/* A channel or a tap that is there from the mount on. */
struct declared {
	bool tap;
	char *name; /* from the mount's root, without a slash before or behind it */
	unsigned line;

	bool each; /* a tap that its channel's section says to be a broadcast: each who opens it has a tap of his own */
	char *channel; /* a tap's: the name of its channel, which is declared too */
	unsigned channel_line;

	struct rights owner; /* a channel's: whose it is, and with whose rights its ports and its taps' are opened */
	gid_t group;
	mode_t mode;
	struct declared_each *broadcasts; /* there is a tap of each of these names */
	size_t broadcast_count;

	struct settings settings;
	unsigned given;      /* which of them, a bit each (1 << key) */
	char *prologue;      /* a channel's by value (prologue.h); NULL: it is the setting's */
	size_t prologue_len; /* in bytes */
	char *prologue_file; /* which had them */
	struct declared_port *ports;
	size_t port_count;
};

struct config {
	unsigned refs;
	char *file; /* absolute; NULL: there was none */

	/* Where the file does not say: NULL, 0, -1. */
	char *point;
	char *log;
	unsigned workers;
	int allow_other;
	uid_t owner; /* of the mount's root folder; not said: as the folder that it is mounted on */
	gid_t group;
	mode_t mode;

	struct settings defaults;
	struct quotas quotas;
	struct permits permits;
	struct declared *declared; /* in the file's order */
	size_t declared_count;
};

/* What holds without a file, with one reference. NULL: out of memory. */
struct config *config_create(void);

/*
 * Reads and checks @path. It may wait: for the disk, and for who knows users and groups. Returns 0, with one
 * reference for the caller, or -EINVAL with every mistake in @mistakes as "FILE:LINE: reason" (without line where the
 * file cannot be read at all), or -ENOMEM.
 */
int config_read(const char *path, struct config **config, struct lines *mistakes);

/* The same of a text that is there already: @size bytes, and a zero byte behind them. @file: where it comes from. */
int config_read_text(const char *file, const char *text, size_t size, struct config **config, struct lines *mistakes);

/*
 * Says one of "owner", "group" and "mode" of [mount] once more, in place of the file: what @option gave as @value. Returns 0, or
 * -EINVAL with the mistake as "@option: reason", or -ENOMEM. It may wait, as config_read().
 */
int config_say(struct config *c, const char *option, const char *key, const char *value, struct lines *mistakes);

struct config *config_ref(struct config *c);

/* Frees it with the last reference. References are one thread's. NULL-safe. */
void config_unref(struct config *c);

/* NULL: there is none. */
const struct declared *config_find(const struct config *c, const char *name);

/* The settings of @d: what it was given, and else the defaults. */
struct settings config_settings(const struct config *c, const struct declared *d);

/*
 * The configuration in the syntax of the file, users and groups by number; without what is declared, but for @all. The
 * caller frees it. NULL: out of memory.
 */
char *config_print(const struct config *c, bool all);
