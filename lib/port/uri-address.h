/* The addresses that several kinds of ports have, read from a URI. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "uri.h"

/* Makes of each %XX the byte that it stands for, in place. Returns 0, or -EINVAL with the reason in @why. */
int uri_decode(char *text, char why[URI_WHY_MAX]);

/*
 * Each takes @address to pieces and sets the parts of @uri. Returns 0, -ENOMEM, or -EINVAL or -ERANGE with the reason
 * in @why.
 */

/* Of less than @max bytes, whatever it means: uri->path. */
int uri_address_any(struct uri *uri, char *address, size_t max, char why[URI_WHY_MAX]);

/* An absolute path of less than @max bytes: uri->path. */
int uri_address_path(struct uri *uri, char *address, size_t max, char why[URI_WHY_MAX]);

/* The same with the time in it (series.h). */
int uri_address_series(struct uri *uri, char *address, size_t max, char why[URI_WHY_MAX]);

/* HOST:SERVICE or [ADDRESS]:SERVICE: uri->host and uri->service. @everywhere: the host may be empty. */
int uri_address_host(struct uri *uri, char *address, bool everywhere, char why[URI_WHY_MAX]);
