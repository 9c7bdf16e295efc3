/* NAME:ADDRESS of a program (programs.h): one kind, which each URI has a name of its own for. */
#include "programs.h"

#include <errno.h>
#include <poll.h>

#include "base.h"
#include "clock.h"
#include "deferred-close.h"
#include "kinds.h"
#include "open-path.h"
#include "open-socket.h"
#include "port-stream.h"
#include "program.h"
#include "sink-options.h"
#include "uri-address.h"
#include "uri-option.h"

/* Of an address: arguments of a program may be longer, but a URI has to stand in a line of the log. */
#define ADDRESS_MAX 4096

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
		news[1] = (struct pollfd){ .fd = program_words(p), .events = POLLIN };
		news[2] = (struct pollfd){ .fd = program_complaints(p), .events = POLLIN };
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
		program_stop(p);
		deferred_close_by(program_bury, p, a->rights.uid); /* the answer does not wait for that */
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

const struct port_kind port_kind_program = {
	.dirs = PORT_SOURCES | PORT_SINKS,
	.foreign = true,
	.as_daemon = true,
	.descriptors = 4, /* process, words, errors and, of a sink, unread: program.h */
	.parse = program_parse,
	.options = program_options,
	.open = program_open,
	.ops = program_ops,
};

struct program *program_of(const struct opened *o)
{
	return o->ops == &program_opened ? o->state : NULL;
}
