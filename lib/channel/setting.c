#include "setting.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "prologue.h"
#include "record.h"
#include "size.h"
#include "text.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define HOUR_MSEC 3600000

static const char *const policies[] = {
	[POLICY_BLOCK] = "block",
	[POLICY_DROP_NEW] = "drop-new",
	[POLICY_DROP_OLD] = "drop-old",
	NULL,
};
static const char *const idles[] = { [IDLE_KEEP] = "keep", [IDLE_DISCARD] = "discard", NULL };
static const char *const eofs[] = { [EOF_LAST_WRITER] = "last-writer", [EOF_NEVER] = "never", NULL };
static const char *const readers[] = { [READERS_DENY] = "deny", [READERS_ALLOW] = "allow", NULL };
static const char *const on_errors[] = {
	[ON_ERROR_AUTO] = "auto",
	[ON_ERROR_DISCARD] = "discard",
	[ON_ERROR_HOLD] = "hold",
	[ON_ERROR_RETRY] = "retry",
	NULL,
};

#define BOTH (SETTING_OF_CHANNEL | SETTING_OF_TAP)

const struct setting settings_table[SETTINGS] = {
	/* (F_SETPIPE_SZ takes an int, of which the kernel makes a power of two) */
	[SETTING_SIZE] = { "size", BOTH, NULL, 4 * KIB, GIB },
	[SETTING_DEPTH] = { "depth", SETTING_OF_TAP, NULL, 0, TIB },
	[SETTING_POLICY] = { "policy", SETTING_OF_TAP, policies, POLICY_BLOCK, POLICY_DROP_OLD },
	[SETTING_IDLE] = { "idle", SETTING_OF_TAP, idles, IDLE_KEEP, IDLE_DISCARD },
	[SETTING_REPLAY] = { "replay", SETTING_OF_CHANNEL, NULL, 0, TIB },
	[SETTING_EOF] = { "eof", SETTING_OF_CHANNEL, eofs, EOF_LAST_WRITER, EOF_NEVER },
	[SETTING_PACKETS] = { "packets", SETTING_OF_CHANNEL, NULL, 0, 1 },
	[SETTING_STABLE] = { "stable", SETTING_OF_CHANNEL, NULL, 0, 1 },
	[SETTING_LATENCY] = { "latency", SETTING_OF_TAP, NULL, 0, HOUR_MSEC },
	[SETTING_RATE] = { "rate", BOTH, NULL, 0, TIB },
	[SETTING_READERS] = { "readers", SETTING_OF_CHANNEL, readers, READERS_DENY, READERS_ALLOW },
	[SETTING_KEEP] = { "keep", SETTING_OF_CHANNEL, NULL, 0, 1 },
	[SETTING_RECORD] = { "record", SETTING_OF_CHANNEL, NULL, 0, RECORD_MAX, .beyond = "line" },
	[SETTING_PROLOGUE] = { "prologue", SETTING_OF_CHANNEL, NULL, 0, PROLOGUE_MAX, .ahead = "first:" },
	[SETTING_ON_ERROR] = { "on-error", BOTH, on_errors, ON_ERROR_AUTO, ON_ERROR_RETRY },
	[SETTING_QUOTA] = { "quota", SETTING_OF_MOUNT, NULL, 0, 1024 * TIB },
	[SETTING_NODES] = { "nodes", SETTING_OF_MOUNT, NULL, 0, TIB },
	[SETTING_DESCRIPTORS] = { "descriptors", SETTING_OF_MOUNT, NULL, 0, TIB },
};

/* (of descriptors, what quota_descriptors_preset() says) */
const struct settings settings_preset = {
	.value = { [SETTING_DEPTH] = MIB, [SETTING_QUOTA] = GIB, [SETTING_NODES] = 65536 }
};

int setting_find(const char *name)
{
	for (int key = 0; key < SETTINGS; key++)
		if (!strcmp(name, settings_table[key].name))
			return key;
	return -ENOENT;
}

bool setting_is_prologue(const char *text, size_t len)
{
	static const char *const words[] = { "none", "first:", "bytes:" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (len >= strlen(words[i]) && !strncmp(text, words[i], strlen(words[i])) &&
		    (i || len == strlen(words[i])))
			return false;
	return len > 0;
}

static int setting_refuse_word(const struct setting *s, const char *text, char why[SETTING_TEXT_MAX])
{
	size_t n = text_format(why, SETTING_TEXT_MAX, "%.32s: not", text);

	for (const char *const *word = s->words; *word; word++)
		n += text_format(why + n, SETTING_TEXT_MAX - n, "%s %s", word == s->words ? "" : " or", *word);
	return -EINVAL;
}

static int setting_parse_word(const struct setting *s, const char *text, uint64_t *value, char why[SETTING_TEXT_MAX])
{
	for (uint64_t i = 0; s->words[i]; i++)
		if (!strcmp(text, s->words[i])) {
			*value = i;
			return 0;
		}
	return setting_refuse_word(s, text, why);
}

int setting_parse(enum setting_key key, const char *text, uint64_t *value, char why[SETTING_TEXT_MAX])
{
	const struct setting *s = &settings_table[key];
	char min[SIZE_TEXT_MAX], max[SIZE_TEXT_MAX];
	uint64_t n = 0;
	int err;

	if (s->words)
		return setting_parse_word(s, text, value, why);
	if (s->ahead && !strcmp(text, "none")) {
		*value = 0;
		return 0;
	}
	if (s->ahead && strncmp(text, s->ahead, strlen(s->ahead)) != 0) {
		text_format(why, SETTING_TEXT_MAX, "%.32s: neither none nor %sBYTES", text, s->ahead);
		return -EINVAL;
	}
	if (s->beyond && !strcmp(text, s->beyond)) {
		*value = UINT64_MAX;
		return 0;
	}
	err = size_parse(text + (s->ahead ? strlen(s->ahead) : 0), s->max, &n);
	if (err == 0 && n < s->min)
		err = -ERANGE;
	if (err == -EINVAL && s->max == 1)
		text_format(why, SETTING_TEXT_MAX, "%.32s: not 0 or 1", text);
	else if (err == -EINVAL)
		text_format(why, SETTING_TEXT_MAX, "%.32s: not a number, with K, M, G or T behind it or nothing%s%s",
			    text, s->beyond ? ", nor " : "", s->beyond ? s->beyond : "");
	else if (err == -ERANGE)
		text_format(why, SETTING_TEXT_MAX, "%.32s: not within %s and %s", text, size_print(min, s->min),
			    size_print(max, s->max));
	else
		*value = n;
	return err;
}

bool setting_fits(const bool has[], const uint64_t value[])
{
	return !has[SETTING_LATENCY] || !value[SETTING_LATENCY] || !(has[SETTING_SIZE] || has[SETTING_DEPTH]);
}

bool setting_is_word(enum setting_key key, uint64_t value)
{
	return settings_table[key].words || settings_table[key].ahead ||
	       (settings_table[key].beyond && value == UINT64_MAX);
}

void setting_print(enum setting_key key, uint64_t value, char text[SETTING_TEXT_MAX])
{
	const struct setting *s = &settings_table[key];

	if (s->words)
		snprintf(text, SETTING_TEXT_MAX, "%s", s->words[value]);
	else if (s->ahead && (value & PROLOGUE_GIVEN))
		snprintf(text, SETTING_TEXT_MAX, "bytes:%zu", prologue_size(value));
	else if (s->ahead && !value)
		snprintf(text, SETTING_TEXT_MAX, "none");
	else if (s->ahead)
		snprintf(text, SETTING_TEXT_MAX, "%s%" PRIu64, s->ahead, value);
	else if (setting_is_word(key, value))
		snprintf(text, SETTING_TEXT_MAX, "%s", s->beyond);
	else
		snprintf(text, SETTING_TEXT_MAX, "%" PRIu64, value);
}
