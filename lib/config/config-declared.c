/* The sections [channel NAME] and [tap NAME]. The last one declared is the one whose keys are read. */
#include "config-parts.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "kinds.h"
#include "programs.h"
#include "uri.h"

#define MODE_DEFAULT 0644

enum { KEY_CHANNEL = 40, KEY_OWNER, KEY_GROUP, KEY_MODE }; /* bits behind those of settings */

static struct declared *config_declared_last(struct config_parse *p)
{
	return p->config->declared_count ? &p->config->declared[p->config->declared_count - 1] : NULL;
}

/* Leaves one slash between parts, and none around. */
static void config_declared_tidy(char *name)
{
	char *to = name;

	for (const char *from = name; *from; from++)
		if (*from != '/' || (to > name && to[-1] != '/'))
			*to++ = *from;
	if (to > name && to[-1] == '/')
		to--;
	*to = '\0';
}

/* Where a comment begins in the value of a key: a tap's section could not name it. */
static bool config_declared_has_comment(const char *name)
{
	for (const char *c = name; *c; c++)
		if (strchr(";#", *c) && (c == name || strchr(" \t", c[-1])))
			return true;
	return false;
}

static void config_declared_check_name(struct config_parse *p, const char *name)
{
	size_t len = strlen(name);

	if (!*name)
		config_mistake(p, "a name is missing");
	/* (what a slash has kept from being cut off could not be written again) */
	else if (strchr(" \t", *name) || strchr(" \t", name[len - 1]))
		config_mistake(p, "the name begins or ends with a blank");
	/* (of a broadcast's name; it could not stand in a heading) */
	else if (strchr(name, ']'))
		config_mistake(p, "'%s' has a ']'", name);
	else if (config_declared_has_comment(name))
		config_mistake(p, "'%s' has a ';' or '#' where a comment begins", name);
	else if (len >= PATH_MAX)
		config_mistake(p, "the name is longer than %d bytes", PATH_MAX - 1);
	for (const char *part = name; *part;) {
		size_t n = strcspn(part, "/");

		if (n > NAME_MAX)
			config_mistake(p, "a part of the name is longer than %d bytes", NAME_MAX);
		else if ((n == 1 && *part == '.') || (n == 2 && !strncmp(part, "..", 2)))
			config_mistake(p, "'%.*s' is not a part of a name", (int)n, part);
		else if (n == 5 && !strncmp(part, ".spfs", 5))
			config_mistake(p, "'.spfs' is the daemon's own name");
		part += n + (part[n] == '/');
	}
}

/* One more, of the tidy @name, which it takes. NULL: there are too many, or no memory. */
static struct declared *config_declared_add(struct config_parse *p, bool tap, char *name)
{
	struct config *c = p->config;
	struct declared *grown = NULL, *d;

	if (c->declared_count == CONFIG_DECLARED_MAX)
		config_mistake(p, "more than %d channels and taps", CONFIG_DECLARED_MAX);
	else if (name)
		grown = realloc(c->declared, (c->declared_count + 1) * sizeof(*grown));
	if (!grown) {
		if (c->declared_count < CONFIG_DECLARED_MAX)
			p->err = -ENOMEM;
		free(name);
		return NULL;
	}
	c->declared = grown;
	d = &c->declared[c->declared_count++];
	*d = (struct declared){
		.tap = tap,
		.name = name,
		.line = p->line,
		.group = (gid_t)-1,
		.mode = MODE_DEFAULT,
		.owner = { .uid = geteuid(), .gid = getegid() },
	};
	return d;
}

/* NULL: out of memory. */
static char *config_declared_name(struct config_parse *p, const char *text)
{
	char *name = config_copy(p, text);

	if (!name)
		return NULL;
	config_declared_tidy(name);
	config_declared_check_name(p, name);
	return name;
}

void config_declare(struct config_parse *p, bool tap, const char *text)
{
	char *name = config_declared_name(p, text);
	const struct declared *twin = name ? config_find(p->config, name) : NULL;

	if (twin)
		config_mistake(p, "'%s' is there twice, first in line %u", name, twin->line);
	if (!config_declared_add(p, tap, name))
		p->section = CONFIG_NONE;
}

/* ---- keys ---- */

static void config_declared_add_port(struct config_parse *p, struct declared *d, enum port_dir dir, const char *text)
{
	struct declared_port *grown;
	char why[URI_WHY_MAX];
	struct uri uri;
	int err = uri_parse(&uri, text, dir, why);

	if (err == 0 && !uri.kind->name) {
		err = programs_find(uri.name, NULL, why);
		if (err < 0)
			uri_finish(&uri);
	}
	if (err < 0) {
		if (err == -ENOMEM)
			p->err = err;
		config_mistake(p, "%s: %s: %s", dir == PORT_SOURCE ? "source" : "sink", text, why);
		return;
	}
	uri_finish(&uri);
	grown = realloc(d->ports, (d->port_count + 1) * sizeof(*grown));
	if (!grown) {
		p->err = -ENOMEM;
		return;
	}
	d->ports = grown;
	grown[d->port_count] = (struct declared_port){ .dir = dir, .uri = config_copy(p, text) };
	d->port_count += grown[d->port_count].uri != NULL;
}

static void config_declared_add_broadcast(struct config_parse *p, struct declared *d, const char *text)
{
	struct declared_each *grown = realloc(d->broadcasts, (d->broadcast_count + 1) * sizeof(*grown));

	if (!grown) {
		p->err = -ENOMEM;
		return;
	}
	d->broadcasts = grown;
	grown[d->broadcast_count] = (struct declared_each){ .name = config_declared_name(p, text), .line = p->line };
	d->broadcast_count += grown[d->broadcast_count].name != NULL;
}

static void config_declared_set_channel(struct config_parse *p, struct declared *d, const char *value)
{
	if (!config_once(p, KEY_CHANNEL, "channel"))
		return;
	d->channel = config_copy(p, value);
	d->channel_line = p->line;
	if (d->channel)
		config_declared_tidy(d->channel);
}

/* Returns false where it is none of these. */
static bool config_declared_channel_key(struct config_parse *p, struct declared *d, const char *name, const char *value)
{
	if (!strcmp(name, "owner")) {
		if (config_once(p, KEY_OWNER, name))
			config_rights(p, value, &d->owner);
	} else if (!strcmp(name, "group")) {
		if (config_once(p, KEY_GROUP, name))
			config_group(p, value, &d->group);
	} else if (!strcmp(name, "mode")) {
		if (config_once(p, KEY_MODE, name))
			config_mode(p, value, 0777, &d->mode);
	} else if (!d->tap && !strcmp(name, "prologue") && (*value == '@' || d->prologue_file)) {
		config_prologue(p, d, value + (*value == '@'));
	} else if (!strcmp(name, "each")) {
		config_declared_add_broadcast(p, d, value);
	} else {
		return false;
	}
	return true;
}

void config_declared_key(struct config_parse *p, const char *name, const char *value)
{
	struct declared *d = config_declared_last(p);
	bool belongs_to_channel = !strcmp(name, "owner") || !strcmp(name, "group") || !strcmp(name, "mode") ||
				  !strcmp(name, "source") || !strcmp(name, "each");

	if (d->tap && belongs_to_channel)
		config_mistake(p, "'%s' belongs to the channel, not to its tap", name);
	else if (!strcmp(name, "sink") || !strcmp(name, "source"))
		config_declared_add_port(p, d, *(name + 1) == 'o' ? PORT_SOURCE : PORT_SINK, value);
	else if (d->tap && !strcmp(name, "channel"))
		config_declared_set_channel(p, d, value);
	else if (!config_declared_channel_key(p, d, name, value) &&
		 !config_setting(p, d->tap ? SETTING_OF_TAP : SETTING_OF_CHANNEL, name, value, &d->settings, &d->given))
		config_mistake(p, "a %s has no key '%s'", d->tap ? "tap" : "channel", name);
}

/* ---- once all is read ---- */

/* A tap that is a broadcast of the channel of number @of: that of a section, which has its settings, or a new one. */
static void config_declared_make_broadcast(struct config_parse *p, size_t of, const struct declared_each *each)
{
	struct config *c = p->config;
	struct declared *d = (struct declared *)config_find(c, each->name);

	p->line = each->line;
	if (d && (!d->tap || !d->channel || strcmp(d->channel, c->declared[of].name))) {
		config_mistake(p, "each: '%s' is declared in line %u, and no tap of '%s'", d->name, d->line,
			       c->declared[of].name);
		return;
	}
	if (d && d->port_count)
		config_mistake(p, "'%s' has a stream for each who opens it, and none for a sink", d->name);
	if (!d) {
		d = config_declared_add(p, true, config_copy(p, each->name));
		if (!d)
			return;
		d->channel = config_copy(p, c->declared[of].name);
		d->channel_line = p->line;
	}
	d->each = true;
}

static void config_declared_make_broadcasts(struct config_parse *p)
{
	struct config *c = p->config;
	size_t count = c->declared_count; /* (no new one has any) */

	for (size_t i = 0; i < count && !p->err; i++)
		for (size_t j = 0; j < c->declared[i].broadcast_count && !p->err; j++)
			config_declared_make_broadcast(p, i, &c->declared[i].broadcasts[j]);
}

static void config_declared_check_owner(struct config_parse *p, struct declared *d)
{
	if (d->owner.gid == (gid_t)-1)
		d->owner.gid = d->group;
	if (d->group == (gid_t)-1)
		d->group = d->owner.gid;
	if (d->group == (gid_t)-1)
		config_mistake(p, "user %u has no name, so 'group' is needed", d->owner.uid);
}

static void config_declared_check_tap(struct config_parse *p, const struct declared *d)
{
	const struct declared *channel = d->channel ? config_find(p->config, d->channel) : NULL;

	if (!d->channel) {
		config_mistake(p, "tap '%s' needs 'channel', whose tap it is", d->name);
		return;
	}
	p->line = d->channel_line;
	if (!channel)
		config_mistake(p, "there is no section [channel %s]", d->channel);
	else if (channel->tap)
		config_mistake(p, "'%s' is a tap, not a channel", d->channel);
}

/* No folder of a name is a channel. */
static void config_declared_check_folders(struct config_parse *p, const struct declared *d)
{
	for (size_t n = strcspn(d->name, "/"); d->name[n]; n += 1 + strcspn(d->name + n + 1, "/")) {
		_cleanup_free_ char *folder = strndup(d->name, n);

		if (folder && config_find(p->config, folder))
			config_mistake(p, "'%s' cannot be in '%s', which is no folder", d->name, folder);
	}
}

void config_declared_check(struct config_parse *p)
{
	struct config *c = p->config;

	config_declared_make_broadcasts(p);
	for (size_t i = 0; i < c->declared_count && !p->err; i++) {
		struct declared *d = &c->declared[i];

		p->line = d->line;
		config_declared_check_folders(p, d);
		if (d->tap)
			config_declared_check_tap(p, d);
		else
			config_declared_check_owner(p, d);
	}
}
