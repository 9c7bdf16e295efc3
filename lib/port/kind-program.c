/* NAME:ADDRESS of a program (programs.h): kinds that are found by name, and otherwise alike. */
#include "programs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "kinds.h"
#include "open-path.h"
#include "open-socket.h"
#include "port-stream.h"
#include "program.h"
#include "sink-options.h"
#include "uri-address.h"
#include "uri-option.h"

#define NAME_LEN_MAX 32

/* Of an address: arguments of a program may be longer, but a URI has to stand in a line of the log. */
#define ADDRESS_MAX 4096

struct program_kind {
	struct port_kind kind;
	SLIST_ENTRY(program_kind) entry;
	char name[];
};

static const char *programs_folder;
static pthread_mutex_t programs_lock = PTHREAD_MUTEX_INITIALIZER;
static SLIST_HEAD(, program_kind) programs = SLIST_HEAD_INITIALIZER(programs);

void programs_in(const char *folder)
{
	programs_folder = folder;
}

static bool program_is_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isascii((unsigned char)name[i]) ||
		    !(islower((unsigned char)name[i]) || isdigit((unsigned char)name[i]) || name[i] == '-'))
			return false;
	return len > 0 && len <= NAME_LEN_MAX;
}

static char *program_path_of(const char *name, size_t len)
{
	char *path;

	return asprintf(&path, "%s/" PROGRAMS_PREFIX "%.*s", programs_folder, (int)len, name) < 0 ? NULL : path;
}

char *program_path(const struct port_kind *kind)
{
	return program_path_of(kind->name, strlen(kind->name));
}

static bool program_is_there(const char *name, size_t len)
{
	_cleanup_free_ char *path = programs_folder && program_is_name(name, len) ? program_path_of(name, len) : NULL;

	return path && access(path, X_OK) == 0;
}

/* ---- opening ---- */

static const struct uri_option program_timeout = {
	.name = "timeout",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.parse = uri_option_number,
	.what = "seconds",
	.max = URI_SECONDS_MAX,
	.preset = 30,
};

/* It has said why, or complained, or neither. */
static int program_refuse(struct attempt *a, struct program *p)
{
	char why[URI_WHY_MAX];
	int err = program_result(p, why);

	if (err == 0) {
		err = -EIO;
		uri_why(why, "%s: ended before it was ready", p->name);
	}
	return uri_refuse(a->why, err, why);
}

/* Until it is ready. Returns 0 or a negative errno with the reason written. */
static int program_await(struct attempt *a, struct program *p)
{
	uint64_t until = clock_nsec() + uri_value(&a->uri, &program_timeout) * NSEC_PER_SEC;

	for (;;) {
		bool over = program_look(p); /* looked at first: what it has said before its end is there then */
		struct pollfd news[3] = { { .fd = p->process, .events = POLLIN } };
		uint64_t now = clock_nsec();

		program_listen_words(p);
		program_listen_complaints(p);
		if (p->err < 0)
			return program_refuse(a, p);
		if (p->listening || program_moves(p))
			return 0;
		if (over)
			return program_refuse(a, p);
		if (now >= until) {
			uri_why(a->why, "%s: not ready within %u s", p->name,
				(unsigned)uri_value(&a->uri, &program_timeout));
			return -ETIMEDOUT;
		}
		news[1] = (struct pollfd){ .fd = p->words, .events = POLLIN };
		news[2] = (struct pollfd){ .fd = p->errors, .events = POLLIN };
		if (poll(news, 3, (int)((until - now) / (NSEC_PER_SEC / 1000)) + 1) < 0 && !attempt_again(a))
			return attempt_failed(a, "wait for", -errno);
	}
}

static const struct opened_ops program_opened = { .close = program_close };

static int program_open(struct attempt *a)
{
	struct program *p;
	int err = program_start(&p, a);

	if (err < 0)
		return err;
	err = program_await(a, p);
	if (err == 0 && p->handed)
		err = open_check_passed(a, p->data);
	if (err < 0) {
		program_close(p);
		return err;
	}
	if (p->handed)
		socket_set_up_shared(p->data);
	a->opened = (struct opened){ .fd = p->data, .ops = &program_opened, .state = p };
	return 0;
}

static int program_parse(struct uri *uri, char *address, char why[URI_WHY_MAX])
{
	return uri_address_any(uri, address, ADDRESS_MAX, why);
}

static const struct uri_option *const program_options[] = { &program_timeout, &stream_retry, SINK_OPTIONS, NULL };
static const struct port_ops *const program_ops[] = { &port_stream, NULL };

static const struct port_kind program_pattern = {
	.dirs = PORT_SOURCES | PORT_SINKS,
	.foreign = true,
	.as_daemon = true,
	.descriptors = 4, /* program.h */
	.parse = program_parse,
	.options = program_options,
	.open = program_open,
	.ops = program_ops,
};

struct program *program_of(const struct opened *o)
{
	return o->ops == &program_opened ? o->state : NULL;
}

/* ---- found by name ---- */

/* Under the lock. */
static struct program_kind *program_kind_known(const char *name, size_t len)
{
	struct program_kind *k;

	SLIST_FOREACH(k, &programs, entry)
		if (strlen(k->name) == len && !memcmp(k->name, name, len))
			break;
	return k;
}

static struct program_kind *program_kind_make(const char *name, size_t len)
{
	struct program_kind *k = malloc(sizeof(*k) + len + 1);

	if (!k)
		return NULL;
	k->kind = program_pattern;
	k->kind.name = k->name;
	memcpy(k->name, name, len);
	k->name[len] = '\0';
	SLIST_INSERT_HEAD(&programs, k, entry);
	return k;
}

const struct port_kind *program_kind_find(const char *name, size_t len)
{
	struct program_kind *k;

	pthread_mutex_lock(&programs_lock);
	k = program_kind_known(name, len);
	pthread_mutex_unlock(&programs_lock);
	if (k || !program_is_there(name, len))
		return k ? &k->kind : NULL;
	pthread_mutex_lock(&programs_lock);
	k = program_kind_known(name, len);
	if (!k)
		k = program_kind_make(name, len);
	pthread_mutex_unlock(&programs_lock);
	return k ? &k->kind : NULL;
}

void programs_list(char *list, size_t size, size_t len)
{
	DIR *folder = programs_folder ? opendir(programs_folder) : NULL;
	struct dirent *entry;

	while (folder && (entry = readdir(folder)) && len < size) {
		const char *name = entry->d_name + sizeof(PROGRAMS_PREFIX) - 1;

		if (!strncmp(entry->d_name, PROGRAMS_PREFIX, sizeof(PROGRAMS_PREFIX) - 1) &&
		    program_is_there(name, strlen(name)))
			len += (size_t)snprintf(list + len, size - len, " %s:", name);
	}
	if (folder)
		closedir(folder);
}
