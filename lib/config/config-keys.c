/* The sections, and the keys of those that are about the whole mount. */
#include "config-parts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "kinds.h"
#include "programs.h"

static const struct {
	const char *name;
	bool named; /* [channel NAME] */
} sections[CONFIG_SECTIONS] = {
	[CONFIG_MOUNT] = { "mount" },           [CONFIG_DEFAULTS] = { "defaults" },       [CONFIG_QUOTA] = { "quota" },
	[CONFIG_NODES] = { "nodes" },           [CONFIG_DESCRIPTORS] = { "descriptors" }, [CONFIG_PORTS] = { "ports" },
	[CONFIG_CHANNEL] = { "channel", true }, [CONFIG_TAP] = { "tap", true },
};

/* ---- headings ---- */

static void config_trim(char *text)
{
	size_t n = strlen(text);

	while (n && strchr(" \t", text[n - 1]))
		text[--n] = '\0';
}

void config_heading(struct config_parse *p, char *text)
{
	char *word = text + strspn(text, " \t");
	char *name = word + strcspn(word, " \t");
	enum config_section section = CONFIG_MOUNT;

	if (*name)
		*name++ = '\0';
	name += strspn(name, " \t");
	config_trim(name);
	while (section < CONFIG_SECTIONS && strcmp(sections[section].name, word))
		section++;
	if (section == CONFIG_SECTIONS) {
		config_mistake(p, "there is no section [%s]", word);
		p->begun[CONFIG_NONE] = p->line;
		return;
	}
	p->section = section;
	if (!sections[section].named && *name)
		config_mistake(p, "section [%s] has no name", word);
	else if (!sections[section].named && p->begun[section])
		config_mistake(p, "section [%s] is there twice, first in line %u", word, p->begun[section]);
	if (!p->begun[section])
		p->begun[section] = p->line;
	if (sections[section].named)
		config_declare(p, section == CONFIG_TAP, name);
}

/* ---- [defaults] ---- */

static void config_defaults_key(struct config_parse *p, const char *name, const char *value)
{
	unsigned given = (unsigned)p->seen;

	if (!strcmp(name, "prologue") && *value == '@')
		config_mistake(p, "prologue: the bytes of a file are for a [channel NAME]");
	else if (!config_setting(p, SETTING_OF_CHANNEL | SETTING_OF_TAP, name, value, &p->config->defaults, &given))
		config_mistake(p, "there is no setting '%s'", name);
	p->seen = given;
}

/* ---- [mount] ---- */

/* Where the section stands twice, which is a mistake, so does the key: the file is read to its end all the same. */
static void config_set_path(struct config_parse *p, const char *name, const char *value, char **path)
{
	if (*value != '/') {
		config_mistake(p, "%s: '%s' does not begin with '/'", name, value);
	} else if (strlen(value) >= PATH_MAX) {
		config_mistake(p, "%s: the path is longer than %d bytes", name, PATH_MAX - 1);
	} else {
		free(*path);
		*path = config_copy(p, value);
	}
}

static void config_set_workers(struct config_parse *p, const char *value)
{
	char *end;
	unsigned long n = strspn(value, "0123456789") == strlen(value) ? strtoul(value, &end, 10) : 0;

	if (n < 1 || n > CONFIG_WORKERS_MAX)
		config_mistake(p, "workers: '%s' is not a number from 1 to %d", value, CONFIG_WORKERS_MAX);
	else
		p->config->workers = (unsigned)n;
}

static void config_set_allow_other(struct config_parse *p, const char *value)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		config_mistake(p, "allow_other: '%s' is neither yes nor no", value);
	else
		p->config->allow_other = !strcmp(value, "yes");
}

/* Sticky is none of them: fs.protected_fifos would keep others from writing by '>'. */
#define MOUNT_MODE (S_ISGID | 0777)

static void config_mount_key(struct config_parse *p, const char *name, const char *value)
{
	enum { KEY_POINT, KEY_WORKERS, KEY_ALLOW_OTHER, KEY_LOG, KEY_OWNER, KEY_GROUP, KEY_MODE, KEYS };
	static const char *const keys[KEYS] = { "point", "workers", "allow_other", "log", "owner", "group", "mode" };
	struct config *c = p->config;
	unsigned key = 0;

	while (key < KEYS && strcmp(keys[key], name))
		key++;
	if (key == KEYS)
		config_mistake(p, "[mount] has no key '%s', only point, workers, allow_other, log, owner, group, mode",
			       name);
	else if (!config_once(p, key, name))
		return;
	else if (key == KEY_POINT || key == KEY_LOG)
		config_set_path(p, name, value, key == KEY_LOG ? &c->log : &c->point);
	else if (key == KEY_WORKERS)
		config_set_workers(p, value);
	else if (key == KEY_ALLOW_OTHER)
		config_set_allow_other(p, value);
	else if (key == KEY_OWNER)
		config_user(p, value, &c->owner);
	else if (key == KEY_GROUP)
		config_group(p, value, &c->group);
	else
		config_mode(p, value, MOUNT_MODE, &c->mode);
}

int config_say(struct config *c, const char *option, const char *key, const char *value, struct lines *mistakes)
{
	struct config_parse p = { .file = option, .config = c, .mistakes = mistakes, .section = CONFIG_MOUNT };
	size_t before = mistakes->count;

	config_mount_key(&p, key, value);
	return p.err < 0 ? p.err : mistakes->count > before ? -EINVAL : 0;
}

/* ---- [quota], [nodes], [descriptors] ---- */

static void config_add_rule(struct config_parse *p, struct quota *q, const char *who, const struct quota_rule *rule)
{
	struct quota_rule *grown = realloc(q->rules, (q->count + 1) * sizeof(*grown));

	if (!grown) {
		p->err = -ENOMEM;
		return;
	}
	q->rules = grown;
	for (size_t i = 0; i < q->count; i++)
		if (grown[i].group == rule->group && grown[i].id == rule->id) {
			config_mistake(p, "'%s' has a quota already", who);
			return;
		}
	grown[q->count++] = *rule;
}

static void config_quota_key(struct config_parse *p, const char *name, const char *value)
{
	enum account_resource of = (enum account_resource)(p->section - CONFIG_QUOTA);
	struct quota *q = &p->config->quotas.of[of];
	struct quota_rule rule = { .group = *name == '@' };
	char why[SETTING_TEXT_MAX];
	bool preset = !strcmp(name, "default");
	bool known = preset || (rule.group ? config_group(p, name + 1, &rule.id) : config_user(p, name, &rule.id));

	if (setting_parse(setting_of_resource(of), value, &rule.limit, why) < 0)
		config_mistake(p, "%s: %s", name, why);
	else if (preset && config_once(p, 0, name))
		q->preset = rule.limit;
	else if (!preset && known)
		config_add_rule(p, q, name, &rule);
}

/* ---- [ports] ---- */

static void config_permit(struct config_parse *p, struct permit *to, const char *who)
{
	int err = 0;
	id_t id;

	if (!strcmp(who, "all") || !strcmp(who, "none"))
		config_mistake(p, "'%s' stands alone, without names", who);
	else if (*who == '@' && config_group(p, who + 1, &id))
		err = permit_group(to, id);
	else if (*who != '@' && config_user(p, who, &id))
		err = permit_user(to, id);
	if (err < 0)
		p->err = err;
}

static void config_ports_key(struct config_parse *p, const char *name, const char *value)
{
	const struct port_kind *kind = port_kind_find(name, strlen(name));
	_cleanup_free_ char *list = NULL;
	struct permit *to;
	char *names, *who;

	char why[URI_WHY_MAX] = "";

	if (!kind || (!kind->name && programs_look(name, NULL, why) < 0)) {
		config_mistake(p, "there is no kind of port '%s'%s%s", name, *why ? ": " : "", why);
		return;
	}
	if (permits_find(&p->config->permits, name)) {
		config_mistake(p, "'%s' is there twice in this section", name);
		return;
	}
	to = permits_limit(&p->config->permits, name);
	if (!to) {
		p->err = -ENOMEM;
		return;
	}
	to->all = !strcmp(value, "all");
	list = to->all || !strcmp(value, "none") ? NULL : config_copy(p, value);
	for (names = list; (who = strsep(&names, " \t,"));)
		if (*who)
			config_permit(p, to, who);
}

void config_key(struct config_parse *p, const char *name, const char *value)
{
	static void (*const keys[CONFIG_SECTIONS])(struct config_parse *, const char *, const char *) = {
		[CONFIG_MOUNT] = config_mount_key,       [CONFIG_DEFAULTS] = config_defaults_key,
		[CONFIG_QUOTA] = config_quota_key,       [CONFIG_NODES] = config_quota_key,
		[CONFIG_DESCRIPTORS] = config_quota_key, [CONFIG_PORTS] = config_ports_key,
		[CONFIG_CHANNEL] = config_declared_key,  [CONFIG_TAP] = config_declared_key,
	};

	keys[p->section](p, name, value);
}
