#include "lines.h"

#include <stdarg.h>
#include <stdlib.h>

#include "text.h"

void lines_add(struct lines *l, const char *fmt, ...)
{
	char **grown = realloc(l->line, (l->count + 1) * sizeof(*grown));
	va_list ap;
	char *text;

	if (!grown)
		return;
	l->line = grown;
	va_start(ap, fmt);
	text = text_vprint(fmt, ap);
	va_end(ap);
	if (text)
		l->line[l->count++] = text;
}

void lines_finish(struct lines *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->line[i]);
	free(l->line);
	*l = (struct lines){ 0 };
}
