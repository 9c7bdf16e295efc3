/* Whatever is made of good URIs by chance is refused with a reason, or parses to the same again. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "uri.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

TestSuite(uri_random, .timeout = 60);

static const char *const good[] = {
	"file:/a%3Fb%25%0a%ff",
	"file:/a?offset=1M&length=4M",
	"file:/rec/cam.ts?append=1&create=0600",
	"tcp:127.0.0.1:9000?retry=5",
	"tcp:[fe80::1%25eth0]:65535",
	"tcp-listen:localhost:http-alt?slow=block&grace=10",
	"unix:/run/x.sock?retry=86400",
	"unix-listen:/x?slow=disconnect&grace=0",
	"v4l2:/dev/video0?width=640&height=480&format=YUYV&fps=30&frames=300",
};

#define ROUNDS 200000
#define TEXT_MAX 256

static uint64_t random_state = 88172645463325252u;

/* Marsaglia's xorshift: the same on each run. */
static unsigned random_below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % n;
}

static const char *random_good(void)
{
	return good[random_below(COUNT(good))];
}

static char random_char(void)
{
	static const char telling[] = "%?&=:/[].,-0123456789KMGabcf";

	return random_below(2) ? telling[random_below(sizeof(telling) - 1)] : (char)random_below(256);
}

static void mutate(char *text)
{
	size_t len = strlen(text), at = random_below((unsigned)len + 1), n;
	const char *other;

	switch (random_below(5)) {
	case 0: /* replace */
		if (at < len)
			text[at] = random_char();
		break;
	case 1: /* insert */
		if (len + 1 < TEXT_MAX) {
			memmove(text + at + 1, text + at, len - at + 1);
			text[at] = random_char();
		}
		break;
	case 2: /* remove */
		n = random_below((unsigned)(len - at) + 1);
		memmove(text + at, text + at + n, len - at - n + 1);
		break;
	case 3: /* end with a part of another */
		other = random_good();
		other += random_below((unsigned)strlen(other));
		snprintf(text + at, TEXT_MAX - at, "%s", other);
		break;
	default: /* a piece again */
		n = len < TEXT_MAX / 2 ? len - at : 0;
		memmove(text + at + n, text + at, len - at + 1);
		break;
	}
}

static bool same_string(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same(const struct uri *a, const struct uri *b)
{
	return a->kind == b->kind && same_string(a->text, b->text) && same_string(a->path, b->path) &&
	       same_string(a->host, b->host) && same_string(a->service, b->service) &&
	       !memcmp(a->values, b->values, sizeof(a->values));
}

static bool survives(const char *text, enum port_dir dir)
{
	_cleanup_free_ char *exact = strdup(text); /* a byte too far is seen */
	char why[URI_WHY_MAX] = "";
	struct uri uri, again;
	int err = uri_parse(&uri, exact, dir, why);

	if (err < 0) {
		cr_assert(err == -EINVAL || err == -ERANGE, "%s: %d", text, err);
		cr_assert(*why, "%s: no reason", text);
		return false;
	}
	cr_assert_str_eq(uri.text, text);
	cr_assert_eq(uri_parse(&again, uri.text, dir, why), 0, "%s: %s", text, why);
	cr_assert(same(&uri, &again), "%s: parses to something else", text);
	cr_assert(!uri.path || *uri.path == '/');
	uri_finish(&uri);
	uri_finish(&again);
	return true;
}

Test(uri_random, survives_random_mutations)
{
	unsigned accepted = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		char text[TEXT_MAX + 1];

		snprintf(text, sizeof(text), "%s", random_good());
		for (unsigned n = random_below(4) + 1; n; n--)
			mutate(text);
		accepted += survives(text, random_below(2) ? PORT_SINK : PORT_SOURCE);
	}
	cr_expect(accepted > ROUNDS / 100 && accepted < ROUNDS / 2, "%u accepted: the mutations are no test", accepted);
}
