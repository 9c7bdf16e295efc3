#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kinds.h"
#include "programs.h"

static void config_print_mount(FILE *f, const struct config *c)
{
	fprintf(f, "[mount]\n");
	if (c->point)
		fprintf(f, "point = %s\n", c->point);
	if (c->workers)
		fprintf(f, "workers = %u\n", c->workers);
	if (c->allow_other >= 0)
		fprintf(f, "allow_other = %s\n", c->allow_other ? "yes" : "no");
	if (c->log)
		fprintf(f, "log = %s\n", c->log);
	if (c->owner != (uid_t)-1)
		fprintf(f, "owner = %u\n", c->owner);
	if (c->group != (gid_t)-1)
		fprintf(f, "group = %u\n", c->group);
	if (c->mode != (mode_t)-1)
		fprintf(f, "mode = %04o\n", c->mode);
}

static void config_print_setting(FILE *f, enum setting_key key, uint64_t value)
{
	char text[SETTING_TEXT_MAX];

	setting_print(key, value, text);
	fprintf(f, "%s = %s\n", settings_table[key].name, text);
}

/* A ring of no fixed size cannot be written as a number. */
static void config_print_defaults(FILE *f, const struct config *c)
{
	fprintf(f, "\n[defaults]\n");
	for (enum setting_key key = 0; key < SETTINGS; key++)
		if (settings_table[key].of != SETTING_OF_MOUNT && (key != SETTING_SIZE || c->defaults.value[key]))
			config_print_setting(f, key, c->defaults.value[key]);
}

static void config_print_quota(FILE *f, const struct config *c, enum account_resource of)
{
	const struct quota *q = &c->quotas.of[of];

	fprintf(f, "\n[%s]\ndefault = %" PRIu64 "\n", settings_table[setting_of_resource(of)].name, q->preset);
	for (size_t i = 0; i < q->count; i++)
		fprintf(f, "%s%u = %" PRIu64 "\n", q->rules[i].group ? "@" : "", q->rules[i].id, q->rules[i].limit);
}

/* @p: what is said of it, or NULL. */
static void config_print_permit(FILE *f, const char *kind, const struct permit *p)
{
	fprintf(f, "%s =%s", kind, !p || p->all ? " all" : p->user_count + p->group_count ? "" : " none");
	for (size_t i = 0; p && i < p->user_count; i++)
		fprintf(f, " %u", p->users[i]);
	for (size_t i = 0; p && i < p->group_count; i++)
		fprintf(f, " @%u", p->groups[i]);
	fputc('\n', f);
}

static void config_print_permits(FILE *f, const struct config *c)
{
	const struct permits *all = &c->permits;

	fprintf(f, "\n[ports]\n");
	for (unsigned k = 0; port_kind_at(k); k++)
		config_print_permit(f, port_kind_at(k)->name, permits_find(all, port_kind_at(k)->name));
	for (size_t i = 0; i < all->count; i++) /* of programs as far as something is said of them */
		if (port_kind_find(all->all[i].kind, strlen(all->all[i].kind)) == &port_kind_program)
			config_print_permit(f, all->all[i].kind, &all->all[i]);
}

static void config_print_declared(FILE *f, const struct declared *d)
{
	fprintf(f, "\n[%s %s]\n", d->tap ? "tap" : "channel", d->name);
	if (d->tap)
		fprintf(f, "channel = %s\n", d->channel);
	else
		fprintf(f, "owner = %u\ngroup = %u\nmode = %04o\n", d->owner.uid, d->group, d->mode);
	for (enum setting_key key = 0; key < SETTINGS; key++)
		if (d->given & 1u << key)
			config_print_setting(f, key, d->settings.value[key]);
	if (d->prologue_file)
		fprintf(f, "prologue = @%s\n", d->prologue_file);
	for (size_t i = 0; i < d->broadcast_count; i++)
		fprintf(f, "each = %s\n", d->broadcasts[i].name);
	for (size_t i = 0; i < d->port_count; i++)
		fprintf(f, "%s = %s\n", d->ports[i].dir == PORT_SOURCE ? "source" : "sink", d->ports[i].uri);
}

char *config_print(const struct config *c, bool all)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	config_print_mount(f, c);
	config_print_defaults(f, c);
	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++)
		config_print_quota(f, c, of);
	config_print_permits(f, c);
	for (size_t i = 0; all && i < c->declared_count; i++)
		config_print_declared(f, &c->declared[i]);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}
