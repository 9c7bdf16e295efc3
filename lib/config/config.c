#include "config.h"

#include <stdlib.h>
#include <string.h>

struct config *config_create(void)
{
	struct config *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->refs = 1;
	c->allow_other = -1;
	c->owner = (uid_t)-1;
	c->group = (gid_t)-1;
	c->mode = (mode_t)-1;
	c->defaults = settings_preset;
	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++)
		c->quotas.of[of].preset = settings_preset.value[setting_of_resource(of)];
	c->quotas.of[ACCOUNT_DESCRIPTORS].preset = quota_descriptors_preset();
	return c;
}

struct config *config_ref(struct config *c)
{
	c->refs++;
	return c;
}

static void declared_finish(struct declared *d)
{
	for (size_t i = 0; i < d->broadcast_count; i++)
		free(d->broadcasts[i].name);
	free(d->broadcasts);
	for (size_t i = 0; i < d->port_count; i++)
		free(d->ports[i].uri);
	free(d->ports);
	free(d->name);
	free(d->channel);
	free(d->prologue);
	free(d->prologue_file);
	rights_finish(&d->owner);
}

void config_unref(struct config *c)
{
	if (!c || --c->refs)
		return;
	for (size_t i = 0; i < c->declared_count; i++)
		declared_finish(&c->declared[i]);
	free(c->declared);
	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++)
		free(c->quotas.of[of].rules);
	permits_finish(&c->permits);
	free(c->file);
	free(c->point);
	free(c->log);
	free(c);
}

const struct declared *config_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->declared_count; i++)
		if (!strcmp(c->declared[i].name, name))
			return &c->declared[i];
	return NULL;
}

struct settings config_settings(const struct config *c, const struct declared *d)
{
	struct settings s = c->defaults;

	for (int key = 0; key < SETTINGS; key++)
		if (d->given & 1u << key)
			s.value[key] = d->settings.value[key];
	return s;
}
