/*
 * Strict, because who writes a URI may not be a friend, and because what is read generously today cannot get a
 * meaning tomorrow: every byte is accounted for, nothing is guessed. Whatever is accepted has a path or host without
 * NUL, and every length is within what the kernel and the resolver take.
 */
#include "uri-address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "series.h"

#define PORT_NUMBER_MAX 65535

static int uri_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int uri_decode(char *s, char why[URI_WHY_MAX])
{
	char *out = s;

	for (; *s; s++) {
		int high, low;

		if (*s != '%') {
			*out++ = *s;
			continue;
		}
		high = uri_hex(s[1]);
		low = high < 0 ? -1 : uri_hex(s[2]);
		if (low < 0)
			return uri_refuse(why, -EINVAL, "'%' without two hexadecimal digits");
		if (!high && !low)
			return uri_refuse(why, -EINVAL, "%00 cannot be part of a name");
		*out++ = (char)(high << 4 | low);
		s += 2;
	}
	*out = '\0';
	return 0;
}

static int uri_set_path(struct uri *uri, const char *address, size_t max, char why[URI_WHY_MAX])
{
	if (*address != '/')
		return uri_refuse(why, -EINVAL, "the path must be absolute: it must begin with '/'");
	if (strlen(address) >= max) {
		uri_why(why, "the path is longer than %zu bytes", max - 1);
		return -EINVAL;
	}
	uri->path = strdup(address);
	return uri->path ? 0 : -ENOMEM;
}

int uri_address_any(struct uri *uri, char *address, size_t max, char why[URI_WHY_MAX])
{
	int err = uri_decode(address, why);

	if (err == 0 && strlen(address) >= max)
		err = uri_refuse(why, -EINVAL, "the address is too long");
	if (err < 0)
		return err;
	uri->path = strdup(address);
	return uri->path ? 0 : -ENOMEM;
}

int uri_address_path(struct uri *uri, char *address, size_t max, char why[URI_WHY_MAX])
{
	int err = uri_decode(address, why);

	return err < 0 ? err : uri_set_path(uri, address, max, why);
}

int uri_address_series(struct uri *uri, char *address, size_t max, char why[URI_WHY_MAX])
{
	int err = series_parse(address, why);

	return err < 0 ? err : uri_set_path(uri, address, max, why);
}

static int uri_address_service(struct uri *uri, const char *service, char why[URI_WHY_MAX])
{
	size_t n = strlen(service);

	if (n == 0)
		return uri_refuse(why, -EINVAL, "the port is missing");
	if (n >= NI_MAXSERV || strspn(service, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != n)
		return uri_refuse(why, -EINVAL, "the port is neither a number nor the name of a service");
	if (strspn(service, "0123456789") == n && (n > 5 || atoi(service) > PORT_NUMBER_MAX)) {
		uri_why(why, "port %s is above %d", service, PORT_NUMBER_MAX);
		return -ERANGE;
	}
	uri->service = strdup(service);
	return uri->service ? 0 : -ENOMEM;
}

/* ADDRESS, or ADDRESS%ZONE of a link-local one. */
static bool uri_is_ipv6(const char *host)
{
	char address[INET6_ADDRSTRLEN];
	size_t n = strcspn(host, "%");
	struct in6_addr addr;

	if (n >= sizeof(address) || (host[n] && !host[n + 1]))
		return false;
	memcpy(address, host, n);
	address[n] = '\0';
	return inet_pton(AF_INET6, address, &addr) == 1;
}

static bool uri_is_name(const char *host)
{
	for (; *host; host++)
		if (!isascii((unsigned char)*host) || (!isalnum((unsigned char)*host) && !strchr("-._", *host)))
			return false;
	return true;
}

int uri_address_host(struct uri *uri, char *address, bool everywhere, char why[URI_WHY_MAX])
{
	bool bracket = *address == '[';
	char *host = bracket ? address + 1 : address;
	char *end = host + strcspn(host, bracket ? "]" : ":");
	char *service = end;
	int err;

	if (bracket) {
		if (!*end)
			return uri_refuse(why, -EINVAL, "']' is missing");
		*service++ = '\0';
	}
	if (*service != ':')
		return uri_refuse(why, -EINVAL,
				  bracket ? "':' and a port must follow ']'" : "':' and a port are missing");
	*service++ = '\0';
	if (!bracket && strchr(service, ':'))
		return uri_refuse(why, -EINVAL, "too many ':' (an IPv6 address goes into brackets)");
	err = uri_decode(host, why);
	if (err < 0)
		return err;
	if (bracket && !uri_is_ipv6(host))
		return uri_refuse(why, -EINVAL, "no IPv6 address between the brackets");
	if (!*host && !everywhere)
		return uri_refuse(why, -EINVAL, "the host is missing");
	if (!bracket && !uri_is_name(host))
		return uri_refuse(why, -EINVAL, "a host is letters, digits, '-', '_' and '.'");
	if (strlen(host) >= NI_MAXHOST)
		return uri_refuse(why, -EINVAL, "the host is too long");
	uri->host = strdup(host);
	return uri->host ? uri_address_service(uri, service, why) : -ENOMEM;
}
