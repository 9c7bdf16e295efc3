#include "uri-option.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "size.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define SECONDS_MAX 86400
#define SIDE_MAX 65535
#define FPS_MAX 1000

struct option {
	const char *name;
	size_t field;	/* where in struct uri */
	unsigned kinds; /* bits of enum uri_kind */
	unsigned dirs;	/* bits of enum port_dir */
	int (*set)(const struct option *opt, void *field, const char *value);
	const char *what; /* a value is */
	uint64_t max;
};

/* Nothing but digits of @base, up to @end; -ERANGE above @max. */
static int number(const char *s, const char *end, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (s == end)
		return -EINVAL;
	for (const char *p = s; p < end; p++)
		if (!isdigit((unsigned char)*p) || (unsigned)(*p - '0') >= base)
			return -EINVAL;
	for (; s < end; s++) {
		unsigned digit = (unsigned)(*s - '0');

		if (n > (max - digit) / base)
			return -ERANGE;
		n = n * base + digit;
	}
	*out = n;
	return 0;
}

static int set_count(const struct option *opt, void *field, const char *value)
{
	return number(value, value + strlen(value), 10, opt->max, field);
}

static int set_small(const struct option *opt, void *field, const char *value)
{
	uint64_t n;
	int err = number(value, value + strlen(value), 10, opt->max, &n);

	if (err == 0)
		*(unsigned *)field = (unsigned)n;
	return err;
}

static int set_size(const struct option *opt, void *field, const char *value)
{
	return size_parse(value, opt->max, field);
}

static int set_flag(const struct option *opt, void *field, const char *value)
{
	if (strcmp(value, "0") && strcmp(value, "1"))
		return -EINVAL;
	*(bool *)field = *value == '1';
	return 0;
}

static int set_mode(const struct option *opt, void *field, const char *value)
{
	uint64_t n;
	int err = number(value, value + strlen(value), 8, opt->max, &n);

	if (err == 0)
		*(mode_t *)field = (mode_t)n;
	return err;
}

static int set_slow(const struct option *opt, void *field, const char *value)
{
	enum uri_slow slow;

	if (!strcmp(value, "disconnect"))
		slow = URI_SLOW_DISCONNECT;
	else if (!strcmp(value, "drop"))
		slow = URI_SLOW_DROP;
	else if (!strcmp(value, "block"))
		slow = URI_SLOW_BLOCK;
	else
		return -EINVAL;
	*(enum uri_slow *)field = slow;
	return 0;
}

/* Short ones are filled up with spaces, as V4L2's are: "Y16 ". */
static int set_fourcc(const struct option *opt, void *field, const char *value)
{
	size_t n = strlen(value);
	uint32_t code = 0;

	if (n < 1 || n > 4)
		return -EINVAL;
	for (size_t i = 0; i < 4; i++) {
		unsigned char c = i < n ? (unsigned char)value[i] : ' ';

		if (!isascii(c) || !isprint(c))
			return -EINVAL;
		code |= (uint32_t)c << (8 * i);
	}
	*(uint32_t *)field = code;
	return 0;
}

#define FIELD(name) #name, offsetof(struct uri, name)
#define BIT(n) (1u << (n))
#define SOURCE BIT(PORT_SOURCE)
#define SINK BIT(PORT_SINK)
#define FILE_KIND BIT(URI_FILE)
#define CONNECTING (BIT(URI_TCP) | BIT(URI_UNIX))
#define LISTENING (BIT(URI_TCP_LISTEN) | BIT(URI_UNIX_LISTEN))
#define CAMERA BIT(URI_V4L2)
#define SINKS (FILE_KIND | CONNECTING | LISTENING)

static const struct option table[] = {
	{ FIELD(offset), FILE_KIND, SOURCE, set_size, "a size", INT64_MAX },
	{ FIELD(length), FILE_KIND, SOURCE, set_size, "a size", INT64_MAX },
	{ FIELD(append), FILE_KIND, SINK, set_flag, "0 or 1" },
	{ FIELD(create), FILE_KIND, SINK, set_mode, "an octal mode", 0777 },
	{ FIELD(retry), CONNECTING, SOURCE | SINK, set_small, "seconds", SECONDS_MAX },
	{ FIELD(slow), LISTENING, SINK, set_slow, "block, drop or disconnect" },
	{ FIELD(grace), LISTENING, SINK, set_small, "seconds", SECONDS_MAX },
	{ FIELD(width), CAMERA, SOURCE, set_small, "pixels", SIDE_MAX },
	{ FIELD(height), CAMERA, SOURCE, set_small, "pixels", SIDE_MAX },
	{ FIELD(fps), CAMERA, SOURCE, set_small, "a rate", FPS_MAX },
	{ FIELD(format), CAMERA, SOURCE, set_fourcc, "a fourcc" },
	{ FIELD(rate), SINKS, SINK, set_size, "a size", 1ull << 40 },
	{ FIELD(frames), CAMERA, SOURCE, set_count, "a number", INT64_MAX },
};

static int set_option(struct uri *uri, const char *name, const char *value, enum port_dir dir, unsigned *seen,
		      char why[URI_WHY_MAX])
{
	const struct option *opt = table;
	int err;

	while (opt < table + COUNT(table) && strcmp(opt->name, name))
		opt++;
	if (opt == table + COUNT(table)) {
		uri_why(why, "unknown option '%.40s'", name);
		return -EINVAL;
	}
	if (!(opt->kinds & BIT(uri->kind)) || !(opt->dirs & BIT(dir))) {
		uri_why(why, "option '%s' is not for a %.*s %s", name, (int)strcspn(uri->text, ":"), uri->text,
			dir == PORT_SOURCE ? "source" : "sink");
		return -EINVAL;
	}
	if (*seen & BIT(opt - table)) {
		uri_why(why, "option '%s' is there twice", name);
		return -EINVAL;
	}
	*seen |= BIT(opt - table);
	err = opt->set(opt, (char *)uri + opt->field, value);
	if (err < 0)
		uri_why(why, "option '%s': '%.40s' is %s %s", name, value,
			err == -ERANGE ? "out of range for" : "not", opt->what);
	return err;
}

int uri_set_options(struct uri *uri, char *options, enum port_dir dir, char why[URI_WHY_MAX])
{
	unsigned seen = 0;
	char *name;

	while ((name = strsep(&options, "&"))) {
		char *value = strchr(name, '=');
		int err;

		if (!value) {
			uri_why(why, "option '%.40s' has no value", name);
			return -EINVAL;
		}
		*value++ = '\0';
		err = set_option(uri, name, value, dir, &seen, why);
		if (err < 0)
			return err;
	}
	if (uri->length != URI_TO_END && uri->length > INT64_MAX - uri->offset) {
		uri_why(why, "option 'length': it ends behind the largest file");
		return -ERANGE;
	}
	return 0;
}
