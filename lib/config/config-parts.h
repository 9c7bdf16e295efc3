/* What the files of the configuration's parser share. */
#pragma once

#include <stdint.h>

#include "config.h"

#define CONFIG_LINE_MAX 8192
#define CONFIG_DECLARED_MAX 10000

enum config_section {
	CONFIG_NONE,
	CONFIG_MOUNT,
	CONFIG_DEFAULTS,
	CONFIG_QUOTA, /* by enum account_resource from here on */
	CONFIG_NODES,
	CONFIG_DESCRIPTORS,
	CONFIG_PORTS,
	CONFIG_CHANNEL,
	CONFIG_TAP,
};
#define CONFIG_SECTIONS (CONFIG_TAP + 1)

struct config_parse {
	const char *file;
	unsigned line;
	struct config *config;
	struct lines *mistakes;
	int err; /* -ENOMEM: nothing more is read */
	enum config_section section;
	unsigned begun[CONFIG_SECTIONS]; /* the line of the heading; 0: not yet */
	uint64_t seen;                   /* keys of this section, bits of config_once() */
};

/* ---- config-parse.c ---- */

/* A mistake in the current line. */
void config_mistake(struct config_parse *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Whether key number @bit (below 64) is new in this section; else a mistake. */
bool config_once(struct config_parse *p, unsigned bit, const char *name);

/* A copy, or NULL with p->err set. */
char *config_copy(struct config_parse *p, const char *text);

/*
 * A setting among those of @of. Returns false where @name is no setting at all; sets bit (1 << key) of *given where it
 * and its value are right.
 */
bool config_setting(struct config_parse *p, unsigned of, const char *name, const char *value, struct settings *settings,
		    unsigned *given);

/* ---- config-keys.c ---- */

/* "[@text]", at whose end there is nothing more. */
void config_heading(struct config_parse *p, char *text);

/* A line "@name = @value" of a section that is known. */
void config_key(struct config_parse *p, const char *name, const char *value);

/* ---- config-declared.c ---- */

void config_declare(struct config_parse *p, bool tap, const char *name);
void config_declared_key(struct config_parse *p, const char *name, const char *value);

/* What can be said once everything is read. */
void config_declared_check(struct config_parse *p);

/* ---- config-prologue.c ---- */

/* prologue = @PATH of a channel. */
void config_prologue(struct config_parse *p, struct declared *d, const char *path);

/* ---- config-who.c: whose something is, and for whom. Users and groups by name or number. False: after a mistake. ---- */

bool config_user(struct config_parse *p, const char *text, uid_t *uid);
bool config_group(struct config_parse *p, const char *text, gid_t *gid);

/* An octal number that has bits of @within alone. */
bool config_mode(struct config_parse *p, const char *text, mode_t within, mode_t *mode);

/* All rights of a user; without a name, a user has no group: (gid_t)-1. */
bool config_rights(struct config_parse *p, const char *text, struct rights *r);
