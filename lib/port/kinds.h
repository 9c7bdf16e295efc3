/*
 * The kinds of ports: one row each. A URI begins with a kind's name, the section [ports] of the configuration says who
 * may use it, and everything that is particular to it is in the row; nobody else knows a kind by its name.
 *
 * To add one, say udp:
 *
 *   lib/port/kind-udp.c   its row, `const struct port_kind port_kind_udp`, and the functions that the row names. What
 *                         others have too is there to be called: addresses (uri-address.h), values of options
 *                         (uri-option.h), opening a path or a socket with the caller's rights (open-path.h,
 *                         open-socket.h). What moves the bytes is a struct port_ops (port-ops.h): one that is there
 *                         already, or one of its own, best in the same file.
 *   lib/port/kinds.c      its line in the list
 *   lib/CMakeLists.txt    its file
 *
 * then, for people: uri.h, tests/unit/test-uri.c, spfs(1), spfsd(8), spfs.conf(5). Where a program can do it, none of this is needed:
 * whatever else port_kind_find() finds, which alone makes a kind of a name, may be one (programs.h, spfs-port(7)).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "uri.h"

struct attempt;
struct port_ops;

struct port_kind {
	const char *
		name; /* what a URI begins with, before the ':'; NULL: many are alike, and each URI says its own (uri_name()) */
	unsigned dirs;    /* PORT_DIR_BIT()s: what it can be */
	const char *form; /* of what stands behind the ':', as a help has it; NULL: see passed */
	bool path;        /* its address is a path, which whoever has a working folder makes absolute */
	bool passed;      /* of descriptors that somebody passes: no URI begins with it */
	bool foreign; /* options that it does not list are left to it, as any kind may have others that are not known here */
	unsigned descriptors; /* that its ports may have open beside those of port-ops.h */
	bool as_daemon;       /* open() is called with the daemon's rights, and takes care of the caller's itself */
	/*
	 * Reads @address, what stands between ':' and '?', which it may take to pieces, into the parts of @uri. Returns
	 * 0, -ENOMEM, or -EINVAL or -ERANGE with the reason in @why.
	 */
	int (*parse)(struct uri *uri, char *address, char why[URI_WHY_MAX]);
	/* Whether the options go together; may be NULL. Returns as parse() does. */
	int (*check)(const struct uri *uri, char why[URI_WHY_MAX]);
	/* At most URI_OPTIONS, up to a NULL; never NULL itself. */
	const struct uri_option *const *options;
	/*
	 * Opens attempt->uri into attempt->opened (attempt.h); on a thread of its own, with the caller's rights, and it
	 * may block. What was passed is there already: it is looked at, with the daemon's rights, and closed by the
	 * caller where it is refused. Returns 0, or a negative errno with the reason written.
	 */
	int (*open)(struct attempt *a);
	/* What may become of it, up to a NULL: the first that fits (port_ops.fits) what was opened. */
	const struct port_ops *const *ops;
};

/* Kind @i in the order of the list, NULL past the last. */
const struct port_kind *port_kind_at(unsigned i);

/* By its name, the first @len bytes of @name, on the list; else that of programs, if one may be called so; or NULL. Never blocks. */
const struct port_kind *port_kind_find(const char *name, size_t len);

/* The one of descriptors that are passed. */
const struct port_kind *port_kind_passed(void);
