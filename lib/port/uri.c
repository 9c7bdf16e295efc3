#include "uri.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "text.h"
#include "uri-option.h"

void uri_why(char why[URI_WHY_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vformat(why, URI_WHY_MAX, fmt, ap);
	va_end(ap);
}

int uri_refuse(char why[URI_WHY_MAX], int err, const char *text)
{
	uri_why(why, "%s", text);
	return err;
}

/* Returns false where memory is short. */
static bool uri_copy_part(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from == !*to;
}

int uri_copy(struct uri *to, const struct uri *from)
{
	*to = *from;
	to->text = to->name = to->path = to->host = to->service = NULL;
	if (uri_copy_part(&to->text, from->text) && uri_copy_part(&to->name, from->name) &&
	    uri_copy_part(&to->path, from->path) && uri_copy_part(&to->host, from->host) &&
	    uri_copy_part(&to->service, from->service))
		return 0;
	uri_finish(to);
	return -ENOMEM;
}

const char *uri_name(const struct uri *uri)
{
	return uri->name ? uri->name : uri->kind->name;
}

uint64_t uri_value(const struct uri *uri, const struct uri_option *option)
{
	const struct uri_option *const *options = uri->kind ? uri->kind->options : NULL;

	for (unsigned i = 0; options && options[i]; i++)
		if (options[i] == option)
			return uri->values[i];
	return option->preset;
}

void uri_finish(struct uri *uri)
{
	free(uri->text);
	free(uri->name);
	free(uri->path);
	free(uri->host);
	free(uri->service);
	*uri = (struct uri){ 0 };
}
