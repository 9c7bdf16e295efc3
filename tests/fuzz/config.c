/*
 * A configuration is refused with every mistake in a line, or is printed so that it reads as the same again.
 *
 * Users and groups are this file's, and no machine's: who is called by one letter has that letter's number, and a group
 * less than that.
 */
#include "fuzz.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base.h"
#include "config.h"

static bool config_knows(const char *name)
{
	return isalpha((unsigned char)name[0]) && !name[1];
}

struct passwd *getpwnam(const char *name)
{
	static char text[2];
	static struct passwd pw = { .pw_name = text };

	if (!config_knows(name))
		return NULL;
	text[0] = *name;
	pw.pw_uid = (uid_t)*name;
	pw.pw_gid = (gid_t)*name;
	return &pw;
}

struct passwd *getpwuid(uid_t uid)
{
	return uid < 128 ? getpwnam((char[]){ (char)uid, '\0' }) : NULL;
}

struct group *getgrnam(const char *name)
{
	static struct group gr;

	if (!config_knows(name))
		return NULL;
	gr.gr_gid = (gid_t)*name;
	return &gr;
}

int getgrouplist(const char *user, gid_t gid, gid_t *groups, int *count)
{
	int room = *count;

	*count = 2;
	if (room < 2)
		return -1;
	groups[0] = gid;
	groups[1] = 1000;
	return 2;
}

static char *config_again(const char *text)
{
	struct lines mistakes = { 0 };
	struct config *config = NULL;
	int err = config_read_text("again", text, strlen(text), &config, &mistakes);
	char *printed;

	fuzz_check(err == 0, "printed so that it is refused: %s\n%s", mistakes.count ? mistakes.line[0] : "", text);
	printed = config_print(config, true);
	fuzz_check(printed, "out of memory");
	config_unref(config);
	lines_finish(&mistakes);
	return printed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	_cleanup_free_ char *text = fuzz_text(&in), *printed = NULL, *again = NULL;
	struct lines mistakes = { 0 };
	struct config *config = NULL;
	int err = config_read_text("fuzz", text, size, &config, &mistakes);

	fuzz_check(err == -EINVAL ? mistakes.count > 0 && !config : err == 0 && !mistakes.count && config,
		   "%d with %zu mistakes", err, mistakes.count);
	for (size_t i = 0; i < mistakes.count; i++)
		fuzz_check(!strncmp(mistakes.line[i], "fuzz:", 5) && fuzz_is_clean(mistakes.line[i]), "%s",
			   mistakes.line[i]);
	if (config) {
		printed = config_print(config, true);
		fuzz_check(printed, "out of memory");
		again = config_again(printed);
		fuzz_check(!strcmp(printed, again), "printed as\n%s\nand then as\n%s", printed, again);
	}
	config_unref(config);
	lines_finish(&mistakes);
	return 0;
}
