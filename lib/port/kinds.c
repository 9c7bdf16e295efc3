#include "kinds.h"

#include <string.h>

#include "programs.h"

/* The order in which they are told of. */
#define PORT_KINDS(row) \
	row(port_kind_file) row(port_kind_tcp) row(port_kind_tcp_listen) row(port_kind_unix) \
		row(port_kind_unix_listen) row(port_kind_v4l2) row(port_kind_fd)

#define PORT_KIND_DECLARE(kind) extern const struct port_kind kind;
#define PORT_KIND_POINT(kind) &kind,

PORT_KINDS(PORT_KIND_DECLARE)

static const struct port_kind *const port_kinds[] = { PORT_KINDS(PORT_KIND_POINT) };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

const struct port_kind *port_kind_at(unsigned i)
{
	return i < COUNT(port_kinds) ? port_kinds[i] : NULL;
}

const struct port_kind *port_kind_find(const char *name, size_t len)
{
	for (unsigned i = 0; i < COUNT(port_kinds); i++)
		if (strlen(port_kinds[i]->name) == len && !memcmp(port_kinds[i]->name, name, len))
			return port_kinds[i];
	return programs_may_have(name, len) ? &port_kind_program : NULL;
}

const struct port_kind *port_kind_passed(void)
{
	unsigned i = 0;

	while (!port_kinds[i]->passed)
		i++;
	return port_kinds[i];
}
