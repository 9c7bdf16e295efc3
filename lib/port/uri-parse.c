/*
 * From a text to a struct uri, by the table of kinds. Whatever is accepted has a text of printable bytes: it stands in
 * lines of the log. Every byte of it is accounted for; see uri-address.c for why.
 */
#include "uri.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "kinds.h"
#include "sink-options.h"
#include "uri-option.h"

static bool uri_option_exists(const char *name)
{
	const struct port_kind *kind;

	for (unsigned i = 0; (kind = port_kind_at(i)); i++)
		if (uri_option_place(kind, name, strlen(name)) >= 0)
			return true;
	return false;
}

static int uri_set_option(struct uri *uri, const char *name, const char *text, enum port_dir dir, unsigned *seen,
			  char why[URI_WHY_MAX])
{
	int i = uri_option_place(uri->kind, name, strlen(name)), err;
	const struct uri_option *option = i < 0 ? NULL : uri->kind->options[i];

	if (!option && uri->kind->foreign)
		return 0;
	if (!option && !uri_option_exists(name)) {
		uri_why(why, "unknown option '%.40s'", name);
		return -EINVAL;
	}
	if (!option || !(option->dirs & PORT_DIR_BIT(dir))) {
		uri_why(why, "option '%s' is not for a %s %s", name, uri_name(uri),
			dir == PORT_SOURCE ? "source" : "sink");
		return -EINVAL;
	}
	if (*seen & 1u << i) {
		uri_why(why, "option '%s' is there twice", name);
		return -EINVAL;
	}
	*seen |= 1u << i;
	err = option->parse(option, text, &uri->values[i]);
	if (err < 0)
		uri_why(why, "option '%s': '%.40s' is %s %s", name, text, err == -ERANGE ? "out of range for" : "not",
			option->what);
	return err;
}

/* NAME=VALUE&NAME=VALUE, taken to pieces. */
static int uri_set_options(struct uri *uri, char *text, enum port_dir dir, char why[URI_WHY_MAX])
{
	unsigned seen = 0;
	char *name;

	while ((name = strsep(&text, "&"))) {
		char *value = strchr(name, '=');
		int err;

		if (!value) {
			uri_why(why, "option '%.40s' has no value", name);
			return -EINVAL;
		}
		*value++ = '\0';
		err = uri_set_option(uri, name, value, dir, &seen, why);
		if (err < 0)
			return err;
	}
	return 0;
}

static void uri_preset(struct uri *uri, const struct port_kind *kind)
{
	*uri = (struct uri){ .kind = kind };
	for (unsigned i = 0; kind->options[i]; i++)
		uri->values[i] = kind->options[i]->preset;
}

int uri_refuse_kind(char why[URI_WHY_MAX], const char *others)
{
	const struct port_kind *kind;
	char list[URI_WHY_MAX] = "";
	size_t len = 0;

	for (unsigned i = 0; (kind = port_kind_at(i)) && len < sizeof(list); i++)
		if (!kind->passed)
			len += (size_t)snprintf(list + len, sizeof(list) - len, " %s:", kind->name);
	uri_why(why, "it begins with none of%s%s", list, others);
	return -EINVAL;
}

static int uri_parse_as(struct uri *uri, const char *text, size_t prefix, enum port_dir dir, char why[URI_WHY_MAX])
{
	const struct port_kind *kind = uri->kind;
	_cleanup_free_ char *copy = NULL;
	char *options;
	int err;

	if (!(kind->dirs & PORT_DIR_BIT(dir))) {
		uri_why(why, "%s is for a %s only", uri_name(uri), dir == PORT_SOURCE ? "sink" : "source");
		return -EINVAL;
	}
	uri->text = strdup(text);
	copy = strdup(text + prefix);
	if (!uri->text || !copy)
		return -ENOMEM;
	options = strchr(copy, '?');
	if (options)
		*options++ = '\0';
	err = options ? uri_set_options(uri, options, dir, why) : 0; /* they may say how the address is to be read */
	if (err == 0)
		err = kind->parse(uri, copy, why);
	if (err == 0)
		err = sink_options_check(uri, why);
	return err == 0 && kind->check ? kind->check(uri, why) : err;
}

int uri_parse(struct uri *uri, const char *text, enum port_dir dir, char why[URI_WHY_MAX])
{
	size_t len = strcspn(text, ":");
	const struct port_kind *kind = text[len] ? port_kind_find(text, len) : NULL;
	int err;

	*uri = (struct uri){ 0 };
	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			return uri_refuse(why, -EINVAL, "a control character: write it as %XX");
	if (!kind || kind->passed)
		return uri_refuse_kind(why, "");
	uri_preset(uri, kind);
	if (!kind->name)
		uri->name = strndup(text, len);
	err = kind->name || uri->name ? uri_parse_as(uri, text, len + 1, dir, why) : -ENOMEM;
	if (err == -ENOMEM)
		uri_why(why, "%s", strerror(ENOMEM));
	if (err < 0)
		uri_finish(uri);
	return err;
}

int uri_of_fd(struct uri *uri)
{
	const struct port_kind *kind = port_kind_passed();

	uri_preset(uri, kind);
	uri->text = strdup(kind->name);
	if (uri->text)
		return 0;
	uri_finish(uri);
	return -ENOMEM;
}
