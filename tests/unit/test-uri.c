#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kinds.h"
#include "port-listen.h"
#include "sink-options.h"
#include "uri-option.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

TestSuite(uri, .timeout = 60);

static const char *const good_sources[] = {
	"file:/",
	"file:/data/movie.ts",
	"file:/a b\xc3\xa9",
	"file:/a%3Fb%25%0a%ff",
	"file:/a:b&c=d",
	"file:/a?offset=1M&length=4M",
	"file:/a?length=0",
	"file:/a?offset=9223372036854775807&length=0",
	"file:/a?offset=8589934591G",
	"tcp:localhost:http",
	"tcp:127.0.0.1:9000?retry=5",
	"tcp:[::1]:0",
	"tcp:[fe80::1%25eth0]:65535",
	"tcp:[::ffff:1.2.3.4]:00080",
	"tcp-listen::9000",
	"tcp-listen:[::]:9000",
	"unix:/run/x.sock?retry=86400",
	"unix-listen:/run/x.sock",
	"v4l2:/dev/video0",
	"v4l2:/dev/video0?width=640&height=480&format=YUYV&fps=30&frames=300",
	"v4l2:/dev/video0?format=Y16",
};

static const char *const good_sinks[] = {
	"file:/rec/cam.ts?append=1&create=0600",
	"file:/rec/cam.ts?create=0&append=0",
	"tcp:host-1.example_org:9000",
	"tcp-listen:localhost:9000?slow=block&grace=10",
	"tcp-listen::http-alt?slow=drop",
	"unix-listen:/x?slow=disconnect&grace=0",
	"unix:/x",
};

struct bad {
	const char *text;
	enum port_dir dir;
	int err;
	const char *why; /* a part of it */
};

static const struct bad bad[] = {
	{ "", PORT_SOURCE, -EINVAL, "begins with" },
	{ "file", PORT_SOURCE, -EINVAL, "begins with" },
	{ ":", PORT_SOURCE, -EINVAL, "begins with" },
	{ "fd:3", PORT_SOURCE, -EINVAL, "begins with" },
	{ "File:/a", PORT_SOURCE, -EINVAL, "begins with" },
	{ " file:/a", PORT_SOURCE, -EINVAL, "begins with" },
	{ "tcp-listen", PORT_SOURCE, -EINVAL, "begins with" },
	{ "filefile:/a", PORT_SOURCE, -EINVAL, "begins with" },
	{ "file:", PORT_SOURCE, -EINVAL, "absolute" },
	{ "file:a", PORT_SOURCE, -EINVAL, "absolute" },
	{ "file:./a", PORT_SOURCE, -EINVAL, "absolute" },
	{ "file:?offset=1", PORT_SOURCE, -EINVAL, "absolute" },
	{ "file:/a\n", PORT_SOURCE, -EINVAL, "control" },
	{ "file:/a\x7f", PORT_SOURCE, -EINVAL, "control" },
	{ "file:/a%", PORT_SOURCE, -EINVAL, "hexadecimal" },
	{ "file:/a%4", PORT_SOURCE, -EINVAL, "hexadecimal" },
	{ "file:/a%4g", PORT_SOURCE, -EINVAL, "hexadecimal" },
	{ "file:/a%-1", PORT_SOURCE, -EINVAL, "hexadecimal" },
	{ "file:/a%00", PORT_SOURCE, -EINVAL, "%00" },
	{ "file:/a%00b?offset=1", PORT_SOURCE, -EINVAL, "%00" },

	{ "file:/a?", PORT_SOURCE, -EINVAL, "no value" },
	{ "file:/a?offset", PORT_SOURCE, -EINVAL, "'offset' has no value" },
	{ "file:/a?offset=1&", PORT_SOURCE, -EINVAL, "no value" },
	{ "file:/a?&offset=1", PORT_SOURCE, -EINVAL, "no value" },
	{ "file:/a?=1", PORT_SOURCE, -EINVAL, "unknown option ''" },
	{ "file:/a?size=1", PORT_SOURCE, -EINVAL, "unknown option 'size'" },
	{ "file:/a?Offset=1", PORT_SOURCE, -EINVAL, "unknown option 'Offset'" },
	{ "file:/a?off%73et=1", PORT_SOURCE, -EINVAL, "unknown option" },
	{ "file:/a?offset=1&offset=1", PORT_SOURCE, -EINVAL, "'offset' is there twice" },
	{ "file:/a?offset=1?length=1", PORT_SOURCE, -EINVAL, "'offset'" },
	{ "file:/a?offset=", PORT_SOURCE, -EINVAL, "'offset'" },
	{ "file:/a?offset=K", PORT_SOURCE, -EINVAL, "'offset'" },
	{ "file:/a?offset=1KK", PORT_SOURCE, -EINVAL, "'offset'" },
	{ "file:/a?offset=-1", PORT_SOURCE, -EINVAL, "'offset'" },
	{ "file:/a?offset=+1", PORT_SOURCE, -EINVAL, "'offset'" },
	{ "file:/a?offset= 1", PORT_SOURCE, -EINVAL, "'offset'" },
	{ "file:/a?offset=0x10", PORT_SOURCE, -EINVAL, "'offset'" },
	{ "file:/a?offset=1.5M", PORT_SOURCE, -EINVAL, "'offset'" },
	{ "file:/a?offset=9223372036854775808", PORT_SOURCE, -ERANGE, "'offset'" },
	{ "file:/a?offset=18446744073709551617", PORT_SOURCE, -ERANGE, "'offset'" },
	{ "file:/a?offset=8589934592G", PORT_SOURCE, -ERANGE, "'offset'" },
	{ "file:/a?length=99999999999999999999999999", PORT_SOURCE, -ERANGE, "'length'" },
	{ "file:/a?length=99999999999999999999999999x", PORT_SOURCE, -EINVAL, "'length'" },
	{ "file:/a?offset=9223372036854775807&length=1", PORT_SOURCE, -ERANGE, "'length'" },
	{ "file:/a?append=1", PORT_SOURCE, -EINVAL, "'append' is not for a file source" },
	{ "file:/a?create=0600", PORT_SOURCE, -EINVAL, "'create' is not for a file source" },
	{ "file:/a?retry=1", PORT_SOURCE, -EINVAL, "'retry' is not for a file source" },
	{ "file:/a?offset=1", PORT_SINK, -EINVAL, "'offset' is not for a file sink" },
	{ "file:/a?append=2", PORT_SINK, -EINVAL, "'append'" },
	{ "file:/a?rate=1M", PORT_SOURCE, -EINVAL, "'rate' is not for a file source" },
	{ "tcp-listen::9?rate=fast", PORT_SINK, -EINVAL, "'rate'" },
	{ "file:/a?rate=1025g", PORT_SINK, -ERANGE, "'rate'" },
	{ "file:/a?append=true", PORT_SINK, -EINVAL, "'append'" },
	{ "file:/a?append=", PORT_SINK, -EINVAL, "'append'" },
	{ "file:/a?create=0800", PORT_SINK, -EINVAL, "'create'" },
	{ "file:/a?create=4755", PORT_SINK, -ERANGE, "'create'" },
	{ "file:/a?create=rw", PORT_SINK, -EINVAL, "'create'" },

	{ "tcp:", PORT_SOURCE, -EINVAL, "port" },
	{ "tcp:host", PORT_SOURCE, -EINVAL, "port" },
	{ "tcp:host:", PORT_SOURCE, -EINVAL, "port is missing" },
	{ "tcp::80", PORT_SOURCE, -EINVAL, "host is missing" },
	{ "tcp:[]:80", PORT_SOURCE, -EINVAL, "IPv6" },
	{ "tcp:host:65536", PORT_SOURCE, -ERANGE, "65536" },
	{ "tcp:host:99999999999", PORT_SOURCE, -ERANGE, "99999999999" },
	{ "tcp:host:-1x!", PORT_SOURCE, -EINVAL, "service" },
	{ "tcp:host: 80", PORT_SOURCE, -EINVAL, "service" },
	{ "tcp:host:80/x", PORT_SOURCE, -EINVAL, "service" },
	{ "tcp:host:%38%30", PORT_SOURCE, -EINVAL, "service" },
	{ "tcp:host:abcdefghijklmnopqrstuvwxyzabcdefgh", PORT_SOURCE, -EINVAL, "service" },
	{ "tcp:::1:80", PORT_SOURCE, -EINVAL, "brackets" },
	{ "tcp:1:2:3", PORT_SOURCE, -EINVAL, "brackets" },
	{ "tcp:[::1:80", PORT_SOURCE, -EINVAL, "']' is missing" },
	{ "tcp:[::1]80", PORT_SOURCE, -EINVAL, "follow ']'" },
	{ "tcp:[::1]", PORT_SOURCE, -EINVAL, "follow ']'" },
	{ "tcp:[::1]:80:80", PORT_SOURCE, -EINVAL, "service" },
	{ "tcp:[localhost]:80", PORT_SOURCE, -EINVAL, "IPv6" },
	{ "tcp:[127.0.0.1]:80", PORT_SOURCE, -EINVAL, "IPv6" },
	{ "tcp:[::1%25]:80", PORT_SOURCE, -EINVAL, "IPv6" },
	{ "tcp:[::1%eth0]:80", PORT_SOURCE, -EINVAL, "hexadecimal" },
	{ "tcp:ho st:80", PORT_SOURCE, -EINVAL, "host" },
	{ "tcp:host%00:80", PORT_SOURCE, -EINVAL, "%00" },
	{ "tcp:a/b:80", PORT_SOURCE, -EINVAL, "host" },
	{ "tcp:host:80?retry=86401", PORT_SOURCE, -ERANGE, "'retry'" },
	{ "tcp:host:80?retry=4294967297", PORT_SOURCE, -ERANGE, "'retry'" },
	{ "tcp:host:80?slow=drop", PORT_SINK, -EINVAL, "'slow' is not for a tcp sink" },
	{ "tcp-listen::80?slow=drop", PORT_SOURCE, -EINVAL, "'slow' is not for a tcp-listen source" },
	{ "tcp-listen::80?slow=fast", PORT_SINK, -EINVAL, "block, drop or disconnect" },
	{ "tcp-listen::80?retry=1", PORT_SINK, -EINVAL, "'retry' is not for a tcp-listen sink" },
	{ "tcp-listen::80?grace=1s", PORT_SINK, -EINVAL, "'grace'" },

	{ "unix:x", PORT_SOURCE, -EINVAL, "absolute" },
	{ "unix:@x", PORT_SOURCE, -EINVAL, "absolute" },
	{ "v4l2:video0", PORT_SOURCE, -EINVAL, "absolute" },
	{ "v4l2:/dev/video0", PORT_SINK, -EINVAL, "source only" },
	{ "v4l2:/dev/video0?width=65536", PORT_SOURCE, -ERANGE, "'width'" },
	{ "v4l2:/dev/video0?fps=0x1", PORT_SOURCE, -EINVAL, "'fps'" },
	{ "v4l2:/dev/video0?format=", PORT_SOURCE, -EINVAL, "'format'" },
	{ "v4l2:/dev/video0?format=YUYV2", PORT_SOURCE, -EINVAL, "'format'" },
	{ "v4l2:/dev/video0?format=\xc3\xa9", PORT_SOURCE, -EINVAL, "'format'" },
	{ "v4l2:/dev/video0?offset=1", PORT_SOURCE, -EINVAL, "'offset' is not for a v4l2 source" },
};

static void expect_good(const char *text, enum port_dir dir)
{
	char why[URI_WHY_MAX];
	struct uri uri;
	int err = uri_parse(&uri, text, dir, why);

	cr_expect_eq(err, 0, "%s: %s", text, err ? why : "");
	if (err == 0)
		cr_expect_str_eq(uri.text, text);
	uri_finish(&uri);
}

Test(uri, takes_what_is_good)
{
	for (size_t i = 0; i < COUNT(good_sources); i++)
		expect_good(good_sources[i], PORT_SOURCE);
	for (size_t i = 0; i < COUNT(good_sinks); i++)
		expect_good(good_sinks[i], PORT_SINK);
}

Test(uri, refuses_what_is_bad_and_says_why)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		char why[URI_WHY_MAX] = "";
		struct uri uri, zero = { 0 };
		int err = uri_parse(&uri, bad[i].text, bad[i].dir, why);

		cr_expect_eq(err, bad[i].err, "%s: %d", bad[i].text, err);
		cr_expect(strstr(why, bad[i].why), "%s: %s", bad[i].text, why);
		if (err < 0)
			cr_expect_eq(memcmp(&uri, &zero, sizeof(uri)), 0, "%s: left something", bad[i].text);
		uri_finish(&uri);
	}
}

/* What is written of the option @name; the test fails where the kind has none of that name. */
static uint64_t value(const struct uri *uri, const char *name)
{
	unsigned i = 0;

	while (uri->kind->options[i] && strcmp(uri->kind->options[i]->name, name))
		i++;
	cr_assert(uri->kind->options[i], "%s has no option %s", uri->text, name);
	cr_expect_eq(uri_value(uri, uri->kind->options[i]), uri->values[i]);
	return uri->values[i];
}

Test(uri, sets_what_is_written)
{
	static const struct uri_option other = { .preset = 9 };
	char why[URI_WHY_MAX];
	struct uri u, copy;

	cr_assert_eq(uri_parse(&u, "file:/a%3f%41?offset=2K&length=3G", PORT_SOURCE, why), 0);
	cr_expect_str_eq(u.kind->name, "file");
	cr_expect_str_eq(u.path, "/a?A");
	cr_expect_eq(value(&u, "offset"), 2048);
	cr_expect_eq(value(&u, "length"), 3ull << 30);
	cr_expect_eq(uri_value(&u, &other), 9, "an option that the kind does not have");
	uri_finish(&u);
	cr_assert_eq(uri_parse(&u, "file:/a?create=640&append=1", PORT_SINK, why), 0);
	cr_expect_eq(value(&u, "create"), 0640);
	cr_expect_eq(value(&u, "append"), 1);
	cr_expect_eq(value(&u, "length"), UINT64_MAX);
	uri_finish(&u);
	cr_assert_eq(uri_parse(&u, "tcp:[fe80::1%25lo]:http?retry=7", PORT_SINK, why), 0);
	cr_assert_eq(uri_copy(&copy, &u), 0);
	uri_finish(&u);
	cr_expect_str_eq(copy.kind->name, "tcp");
	cr_expect_str_eq(copy.text, "tcp:[fe80::1%25lo]:http?retry=7");
	cr_expect_str_eq(copy.host, "fe80::1%lo");
	cr_expect_str_eq(copy.service, "http");
	cr_expect_eq(value(&copy, "retry"), 7);
	uri_finish(&copy);
	cr_assert_eq(uri_parse(&u, "tcp-listen::9?slow=block&grace=2", PORT_SINK, why), 0);
	cr_expect_str_eq(u.kind->name, "tcp-listen");
	cr_expect_str_eq(u.host, "");
	cr_expect_eq(value(&u, "slow"), LISTEN_SLOW_BLOCK);
	cr_expect_eq(value(&u, "grace"), 2);
	uri_finish(&u);
	cr_assert_eq(uri_parse(&u, "v4l2:/dev/v?width=1&height=2&fps=3&frames=4&format=YUYV", PORT_SOURCE, why), 0);
	cr_expect(value(&u, "width") == 1 && value(&u, "height") == 2 && value(&u, "fps") == 3);
	cr_expect_eq(value(&u, "frames"), 4);
	cr_expect_eq(value(&u, "format"), 0x56595559); /* 'Y' 'U' 'Y' 'V', from the lowest byte */
	uri_finish(&u);
	cr_assert_eq(uri_of_fd(&u), 0);
	cr_expect_str_eq(u.kind->name, "fd");
	cr_expect_str_eq(u.text, "fd");
	cr_expect_eq(uri_value(&u, &other), 9);
	uri_finish(&u);
}

Test(uri, each_kind_has_a_row_that_can_be_used)
{
	const struct port_kind *kind;

	for (unsigned i = 0; (kind = port_kind_at(i)); i++) {
		unsigned options = 0;

		cr_expect_eq(port_kind_find(kind->name, strlen(kind->name)), kind, "two are called %s", kind->name);
		while (kind->options[options])
			options++;
		cr_expect_leq(options, URI_OPTIONS, "%s has %u options", kind->name, options);
		cr_expect(kind->passed || (kind->parse && kind->open), "%s", kind->name);
		cr_expect(kind->dirs && kind->ops && *kind->ops, "%s", kind->name);
	}
	cr_expect_str_eq(port_kind_passed()->name, "fd");
}

/* KIND:/aaa..., @n bytes of path */
static int parse_path(const char *kind, size_t n, char why[URI_WHY_MAX])
{
	char text[2 * PATH_MAX];
	struct uri uri;
	int err;

	snprintf(text, sizeof(text), "%s:/%0*d", kind, (int)n - 1, 0);
	err = uri_parse(&uri, text, PORT_SOURCE, why);
	uri_finish(&uri);
	return err;
}

Test(uri, knows_how_long_a_name_may_be)
{
	char text[4096], why[URI_WHY_MAX];
	struct uri uri;

	cr_expect_eq(parse_path("unix", 107, why), 0);
	cr_expect_eq(parse_path("unix", 108, why), -EINVAL);
	cr_expect(strstr(why, "107 bytes"), "%s", why);
	cr_expect_eq(parse_path("unix-listen", 108, why), -EINVAL);
	cr_expect_eq(parse_path("file", 4095, why), 0);
	cr_expect_eq(parse_path("file", 4096, why), -EINVAL);
	snprintf(text, sizeof(text), "tcp:%01024d:80", 0);
	cr_expect_eq(uri_parse(&uri, text, PORT_SOURCE, why), 0);
	uri_finish(&uri);
	snprintf(text, sizeof(text), "tcp:%01025d:80", 0);
	cr_expect_eq(uri_parse(&uri, text, PORT_SOURCE, why), -EINVAL);
	snprintf(text, sizeof(text), "file:/a?%03000d=1", 0);
	cr_expect_eq(uri_parse(&uri, text, PORT_SOURCE, why), -EINVAL);
	cr_expect_lt(strlen(why), URI_WHY_MAX);
}

Test(uri, a_reason_is_printable)
{
	char why[URI_WHY_MAX];

	uri_why(why, "a\nb\x1b[m\xc3\xa9%s",
		" \xff"
		"c");
	cr_expect_str_eq(why, "a?b?[m\xc3\xa9 ?c");
}

Test(uri, takes_the_sizes_that_settings_take)
{
	static const struct {
		const char *text;
		uint64_t rate;
	} rates[] = { { "tcp:a:9?rate=2m", 2 << 20 }, { "file:/a?rate=1T", 1ull << 40 } };
	char why[URI_WHY_MAX];
	struct uri uri;

	for (size_t i = 0; i < COUNT(rates); i++) {
		cr_assert_eq(uri_parse(&uri, rates[i].text, PORT_SINK, why), 0, "%s: %s", rates[i].text, why);
		cr_expect_eq(uri_value(&uri, &uri_rate), rates[i].rate, "%s", rates[i].text);
		uri_finish(&uri);
	}
}

Test(uri, takes_what_every_sink_may_be_told)
{
	static const struct {
		const char *text;
		uint64_t on_error, policy, depth;
	} told[] = {
		{ "file:/a?on-error=discard&policy=drop-new&depth=64K", ON_ERROR_DISCARD, POLICY_DROP_NEW, 64 << 10 },
		{ "tcp:a:9?on-error=hold&policy=block&depth=0", ON_ERROR_HOLD, POLICY_BLOCK, 0 },
		{ "unix:/a?on-error=retry&retry=2", ON_ERROR_RETRY, UINT64_MAX, UINT64_MAX },
		{ "file:/a?retry=2&policy=drop-old", ON_ERROR_AUTO, POLICY_DROP_OLD, UINT64_MAX },
		{ "tcp-listen:a:9?depth=1M", ON_ERROR_AUTO, UINT64_MAX, 1 << 20 },
	};
	static const char *const refused[] = {
		"file:/a?on-error=",
		"file:/a?on-error=1",
		"file:/a?policy=drop",
		"file:/a?depth=-1",
		"file:/a?depth=2000T",
		"tcp:a:9?on-error=discard&retry=1",
		"file:/a?retry=1&on-error=hold",
		"tcp-listen:a:9?on-error=hold",
		"tcp-listen:a:9?policy=block",
	};
	char why[URI_WHY_MAX];
	struct uri uri;

	for (size_t i = 0; i < COUNT(told); i++) {
		cr_assert_eq(uri_parse(&uri, told[i].text, PORT_SINK, why), 0, "%s: %s", told[i].text, why);
		cr_expect_eq(uri_value(&uri, &sink_on_error), told[i].on_error, "%s", told[i].text);
		cr_expect_eq(uri_value(&uri, &sink_policy), told[i].policy, "%s", told[i].text);
		cr_expect_eq(uri_value(&uri, &sink_depth), told[i].depth, "%s", told[i].text);
		uri_finish(&uri);
		cr_expect_lt(uri_parse(&uri, told[i].text, PORT_SOURCE, why), 0, "%s", told[i].text);
	}
	for (size_t i = 0; i < COUNT(refused); i++)
		cr_expect_lt(uri_parse(&uri, refused[i], PORT_SINK, why), 0, "%s", refused[i]);
}
