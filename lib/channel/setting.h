/*
 * The settings of a channel, a tap or a mount: one table for attributes ("spfs." and the name), the command spfs,
 * the configuration and the engine. Every value is a number; for those that are words, the word's place in the list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"

enum setting_key {
	SETTING_SIZE,     /* bytes of the ring, 0: as many as the daemon thinks fit */
	SETTING_DEPTH,    /* bytes that a tap holds beyond its ring before the policy applies */
	SETTING_POLICY,   /* enum policy */
	SETTING_IDLE,     /* enum idle */
	SETTING_REPLAY,   /* bytes that a new tap begins with */
	SETTING_EOF,      /* enum eof */
	SETTING_PACKETS,  /* 1: each write is a message */
	SETTING_STABLE,   /* 1: sources copy */
	SETTING_LATENCY,  /* milliseconds that a tap's size and depth are to hold, 0: what they say */
	SETTING_RATE,     /* bytes a second, 0: as fast as it goes */
	SETTING_READERS,  /* enum readers */
	SETTING_KEEP,     /* 1: it stays behind its name when that is removed; the layer above does it */
	SETTING_RECORD,   /* bytes, or see record.h: where a stream may be cut */
	SETTING_PROLOGUE, /* see prologue.h: what each tap begins with */
	SETTING_ON_ERROR, /* enum on_error, of sinks that do not say */
	/* What one user may hold, 0: as much as there is; by enum account_resource from here on. */
	SETTING_QUOTA,       /* bytes of ring, depth and replay */
	SETTING_NODES,       /* names, folders and open files */
	SETTING_DESCRIPTORS, /* of the daemon */
};
#define SETTINGS (SETTING_DESCRIPTORS + 1)

enum policy { POLICY_BLOCK, POLICY_DROP_NEW, POLICY_DROP_OLD };
enum idle { IDLE_KEEP, IDLE_DISCARD };
enum eof { EOF_LAST_WRITER, EOF_NEVER };
/* Whether the origin of a channel with taps may be opened for reading too. */
enum readers { READERS_DENY, READERS_ALLOW };

/* What becomes of what a failed sink has not moved. AUTO: DISCARD of one on a channel, HOLD of one on a tap. */
enum on_error { ON_ERROR_AUTO, ON_ERROR_DISCARD, ON_ERROR_HOLD, ON_ERROR_RETRY };

/* What has it. */
enum { SETTING_OF_CHANNEL = 1, SETTING_OF_TAP = 2, SETTING_OF_MOUNT = 4 };

struct setting {
	const char *name;
	unsigned of;
	const char *const *words; /* up to a NULL; NULL: a number */
	uint64_t min, max;
	const char *ahead;  /* a word before the number, where none is 0; NULL: there is none */
	const char *beyond; /* a word that a number's value may be as well: UINT64_MAX; NULL: none */
};

/* Whether they can be set at once: not a latency, and what follows from it. */
bool setting_fits(const bool has[], const uint64_t value[]);

#define SETTING_MISFIT "latency: size and depth follow from it"

/* Whether the value is written as a word. */
bool setting_is_word(enum setting_key key, uint64_t value);

extern const struct setting settings_table[SETTINGS];

struct settings {
	uint64_t value[SETTINGS];
};

/* What holds where nobody has said anything. */
extern const struct settings settings_preset;

/* What limits a resource of a user. */
static inline enum setting_key setting_of_resource(enum account_resource of)
{
	return (enum setting_key)(SETTING_QUOTA + of);
}

/* The key of that name, without "spfs.", or -ENOENT. */
int setting_find(const char *name);

/* Whether a value of SETTING_PROLOGUE is the bytes themselves: any but "none" and what begins with "first:" or "bytes:". */
bool setting_is_prologue(const char *text, size_t len);

/* Room for why a value is refused, or for a value. */
#define SETTING_TEXT_MAX 128

/*
 * Reads @text: a word of the setting's, or a size (size.h), which a number is too. Returns 0,
 * -EINVAL (not a value) or -ERANGE (too small or too large), with the reason in @why.
 */
int setting_parse(enum setting_key key, const char *text, uint64_t *value, char why[SETTING_TEXT_MAX]);

/* Writes the value so that setting_parse() takes it: the word, or all digits. */
void setting_print(enum setting_key key, uint64_t value, char text[SETTING_TEXT_MAX]);
