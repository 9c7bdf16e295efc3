/* A URI is refused with a reason, or is what it says: it parses to the same again, and so does its copy. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "kinds.h"
#include "uri-option.h"

static bool uri_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool uri_same(const struct uri *a, const struct uri *b)
{
	return a->kind == b->kind && uri_same_text(a->text, b->text) && uri_same_text(a->path, b->path) &&
	       uri_same_text(a->host, b->host) && uri_same_text(a->service, b->service) &&
	       !memcmp(a->values, b->values, sizeof(a->values));
}

static void uri_look(const struct uri *uri, const char *text)
{
	fuzz_check(uri->kind && !uri->kind->passed, "%s: of no kind", text);
	fuzz_check(!strcmp(uri->text, text), "%s: its text is %s", text, uri->text);
	fuzz_check(uri->path || (uri->host && uri->service), "%s: no address", text);
	fuzz_check(!uri->path || *uri->path == '/', "%s: the path is %s", text, uri->path);
	for (unsigned i = 0; uri->kind->options[i]; i++) {
		const struct uri_option *option = uri->kind->options[i];

		/* (an option of words has no bound) */
		fuzz_check(!option->max || uri->values[i] <= option->max || uri->values[i] == option->preset,
			   "%s: option %s is %ju", text, option->name, (uintmax_t)uri->values[i]);
	}
}

static void uri_try(const char *text, enum port_dir dir)
{
	char why[URI_WHY_MAX] = "";
	struct uri uri, again, copy;
	int err = uri_parse(&uri, text, dir, why);

	if (err < 0) {
		fuzz_check(err == -EINVAL || err == -ERANGE, "%s: %d", text, err);
		fuzz_check(*why && fuzz_is_clean(why), "%s: the reason is '%s'", text, why);
		return;
	}
	uri_look(&uri, text);
	fuzz_check(uri_parse(&again, uri.text, dir, why) == 0, "%s: then refused: %s", text, why);
	fuzz_check(uri_same(&uri, &again), "%s: then something else", text);
	fuzz_check(uri_copy(&copy, &uri) == 0 && uri_same(&uri, &copy), "%s: its copy is another", text);
	uri_finish(&uri);
	uri_finish(&again);
	uri_finish(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	_cleanup_free_ char *text = fuzz_text(&in);

	uri_try(text, PORT_SOURCE);
	uri_try(text, PORT_SINK);
	return 0;
}
