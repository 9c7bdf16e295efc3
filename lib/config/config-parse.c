/*
 * What whoever reads a line of the configuration needs: mistakes, keys that are there twice, copies, settings.
 *
 * A mistake ends nothing: the file is read on, so that each of them is told at once. Only memory that has run out does
 * (p->err), also where a mistake could not be noted: it must not pass for a file without one.
 */
#include "config-parts.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base.h"
#include "text.h"

void config_mistake(struct config_parse *p, const char *fmt, ...)
{
	_cleanup_free_ char *why = NULL;
	size_t before = p->mistakes->count;
	va_list ap;

	va_start(ap, fmt);
	why = text_vprint(fmt, ap);
	va_end(ap);
	if (why && p->line)
		lines_add(p->mistakes, "%s:%u: %s", p->file, p->line, why);
	else if (why)
		lines_add(p->mistakes, "%s: %s", p->file, why);
	if (p->mistakes->count == before)
		p->err = -ENOMEM;
}

bool config_once(struct config_parse *p, unsigned bit, const char *name)
{
	if (p->seen & UINT64_C(1) << bit) {
		config_mistake(p, "'%s' is there twice in this section", name);
		return false;
	}
	p->seen |= UINT64_C(1) << bit;
	return true;
}

char *config_copy(struct config_parse *p, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		p->err = -ENOMEM;
	return copy;
}

bool config_setting(struct config_parse *p, unsigned of, const char *name, const char *value, struct settings *settings,
		    unsigned *given)
{
	int key = setting_find(name);
	char why[SETTING_TEXT_MAX];

	if (key < 0)
		return false;
	if (settings_table[key].of == SETTING_OF_MOUNT)
		config_mistake(p, "'%s' does not belong here: it is the section [%s]", name, name);
	else if (!(settings_table[key].of & of))
		config_mistake(p, "'%s' is a setting of a %s", name, of == SETTING_OF_TAP ? "channel" : "tap");
	else if (!(*given & 1u << key))
		*given |= setting_parse((enum setting_key)key, value, &settings->value[key], why) == 0 ?
				  1u << key :
				  (config_mistake(p, "%s: %s", name, why), 0);
	else
		config_mistake(p, "'%s' is there twice in this section", name);
	return true;
}
