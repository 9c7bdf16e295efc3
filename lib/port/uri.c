/*
 * Strict, because who writes a URI may not be a friend, and because what is read generously today cannot get a
 * meaning tomorrow: every byte is accounted for, nothing is guessed. Whatever is accepted has a text of
 * printable bytes (a line of the log), a path or host without NUL, and every length within what the kernel and
 * the resolver take.
 */
#include "uri.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base.h"
#include "text.h"
#include "uri-option.h"

#define PORT_MAX 65535
#define CREATE_DEFAULT 0644
#define GRACE_DEFAULT 5

static const char *const kinds[URI_KINDS] = {
	[URI_FILE] = "file",
	[URI_TCP] = "tcp",
	[URI_TCP_LISTEN] = "tcp-listen",
	[URI_UNIX] = "unix",
	[URI_UNIX_LISTEN] = "unix-listen",
	[URI_V4L2] = "v4l2",
	[URI_FD] = "fd", /* not to be written in a URI */
};

const char *uri_kind_name(enum uri_kind kind)
{
	return kinds[kind];
}

int uri_kind_find(const char *name)
{
	for (int kind = 0; kind < URI_KINDS; kind++)
		if (!strcmp(kinds[kind], name))
			return kind;
	return -1;
}

void uri_why(char why[URI_WHY_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vformat(why, URI_WHY_MAX, fmt, ap);
	va_end(ap);
}

static int refuse(char why[URI_WHY_MAX], const char *text)
{
	uri_why(why, "%s", text);
	return -EINVAL;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. */
static int decode(char *s, char why[URI_WHY_MAX])
{
	char *out = s;

	for (; *s; s++) {
		int high, low;

		if (*s != '%') {
			*out++ = *s;
			continue;
		}
		high = hex(s[1]);
		low = high < 0 ? -1 : hex(s[2]);
		if (low < 0)
			return refuse(why, "'%' without two hexadecimal digits");
		if (!high && !low)
			return refuse(why, "%00 cannot be part of a name");
		*out++ = (char)(high << 4 | low);
		s += 2;
	}
	*out = '\0';
	return 0;
}

static int set_path(struct uri *uri, char *body, char why[URI_WHY_MAX])
{
	bool is_socket = uri->kind == URI_UNIX || uri->kind == URI_UNIX_LISTEN;
	size_t max = is_socket ? sizeof(((struct sockaddr_un *)NULL)->sun_path) : PATH_MAX;
	int err = decode(body, why);

	if (err < 0)
		return err;
	if (*body != '/')
		return refuse(why, "the path must be absolute: it must begin with '/'");
	if (strlen(body) >= max) {
		uri_why(why, "the path is longer than %zu bytes", max - 1);
		return -EINVAL;
	}
	uri->path = strdup(body);
	return uri->path ? 0 : -ENOMEM;
}

static int set_service(struct uri *uri, const char *service, char why[URI_WHY_MAX])
{
	size_t n = strlen(service);

	if (n == 0)
		return refuse(why, "the port is missing");
	if (n >= NI_MAXSERV || strspn(service, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != n)
		return refuse(why, "the port is neither a number nor the name of a service");
	if (strspn(service, "0123456789") == n && (n > 5 || atoi(service) > PORT_MAX)) {
		uri_why(why, "port %s is above %d", service, PORT_MAX);
		return -ERANGE;
	}
	uri->service = strdup(service);
	return uri->service ? 0 : -ENOMEM;
}

/* ADDRESS, or ADDRESS%ZONE of a link-local one. */
static bool is_ipv6(const char *host)
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

static bool is_name(const char *host)
{
	for (; *host; host++)
		if (!isascii((unsigned char)*host) || (!isalnum((unsigned char)*host) && !strchr("-._", *host)))
			return false;
	return true;
}

/* HOST:SERVICE or [ADDRESS]:SERVICE */
static int set_address(struct uri *uri, char *body, char why[URI_WHY_MAX])
{
	bool bracket = *body == '[';
	char *host = bracket ? body + 1 : body;
	char *end = host + strcspn(host, bracket ? "]" : ":");
	char *service = end;
	int err;

	if (bracket) {
		if (!*end)
			return refuse(why, "']' is missing");
		*service++ = '\0';
	}
	if (*service != ':')
		return refuse(why, bracket ? "':' and a port must follow ']'" : "':' and a port are missing");
	*service++ = '\0';
	if (!bracket && strchr(service, ':'))
		return refuse(why, "too many ':' (an IPv6 address goes into brackets)");
	err = decode(host, why);
	if (err < 0)
		return err;
	if (bracket && !is_ipv6(host))
		return refuse(why, "no IPv6 address between the brackets");
	if (!*host && uri->kind != URI_TCP_LISTEN)
		return refuse(why, "the host is missing");
	if (!bracket && !is_name(host))
		return refuse(why, "a host is letters, digits, '-', '_' and '.'");
	if (strlen(host) >= NI_MAXHOST)
		return refuse(why, "the host is too long");
	uri->host = strdup(host);
	return uri->host ? set_service(uri, service, why) : -ENOMEM;
}

static int find_kind(const char *text, size_t len)
{
	for (int i = 0; i < URI_KINDS; i++)
		if (i != URI_FD && strlen(kinds[i]) == len && !memcmp(kinds[i], text, len))
			return i;
	return -EINVAL;
}

static int parse(struct uri *uri, const char *text, enum port_dir dir, char why[URI_WHY_MAX])
{
	size_t len = strcspn(text, ":");
	_cleanup_free_ char *copy = NULL;
	char *body, *options;
	int kind = find_kind(text, len);
	int err;

	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			return refuse(why, "a control character: write it as %XX");
	if (!text[len] || kind < 0)
		return refuse(why, "it begins with none of file: tcp: tcp-listen: unix: unix-listen: v4l2:");
	if (kind == URI_V4L2 && dir == PORT_SINK)
		return refuse(why, "a camera is a source only");
	uri->kind = (enum uri_kind)kind;
	uri->text = strdup(text);
	copy = strdup(text + len + 1);
	if (!uri->text || !copy)
		return -ENOMEM;
	body = copy;
	options = strchr(body, '?');
	if (options)
		*options++ = '\0';
	err = kind == URI_TCP || kind == URI_TCP_LISTEN ? set_address(uri, body, why) : set_path(uri, body, why);
	if (err == 0 && options)
		err = uri_set_options(uri, options, dir, why);
	return err;
}

int uri_parse(struct uri *uri, const char *text, enum port_dir dir, char why[URI_WHY_MAX])
{
	int err;

	*uri = (struct uri){ .length = URI_TO_END, .create = CREATE_DEFAULT, .grace = GRACE_DEFAULT };
	err = parse(uri, text, dir, why);
	if (err == -ENOMEM)
		uri_why(why, "%s", strerror(ENOMEM));
	if (err < 0)
		uri_finish(uri);
	return err;
}

int uri_of_fd(struct uri *uri)
{
	*uri = (struct uri){ .kind = URI_FD, .length = URI_TO_END };
	uri->text = strdup("fd");
	return uri->text ? 0 : -ENOMEM;
}

void uri_finish(struct uri *uri)
{
	free(uri->text);
	free(uri->path);
	free(uri->host);
	free(uri->service);
	*uri = (struct uri){ 0 };
}
