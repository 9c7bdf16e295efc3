/*
 * Users and groups, and modes. The functions of the C library that find them are used by one thread at a time: only who reads a
 * configuration asks for names, and one is read after another.
 */
#include "config-parts.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

/* -1 is nobody's, and means "as it is" to the kernel. */
static bool config_parse_id(const char *text, id_t *id)
{
	unsigned long n;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (*end || errno || n >= UINT32_MAX)
		return false;
	*id = (id_t)n;
	return true;
}

bool config_user(struct config_parse *p, const char *text, uid_t *uid)
{
	const struct passwd *pw = getpwnam(text);

	if (pw)
		*uid = pw->pw_uid;
	else if (!config_parse_id(text, uid)) {
		config_mistake(p, "there is no user '%s'", text);
		return false;
	}
	return true;
}

bool config_group(struct config_parse *p, const char *text, gid_t *gid)
{
	const struct group *gr = getgrnam(text);

	if (gr)
		*gid = gr->gr_gid;
	else if (!config_parse_id(text, gid)) {
		config_mistake(p, "there is no group '%s'", text);
		return false;
	}
	return true;
}

bool config_mode(struct config_parse *p, const char *text, mode_t within, mode_t *mode)
{
	size_t n = strlen(text);
	unsigned long bits = n && n <= 5 && strspn(text, "01234567") == n ? strtoul(text, NULL, 8) : ULONG_MAX;

	if (bits & ~(unsigned long)within) {
		config_mistake(p, "mode: '%s' is not an octal number within %04o", text, within);
		return false;
	}
	*mode = (mode_t)bits;
	return true;
}

static bool config_find_groups(struct config_parse *p, const char *user, struct rights *r)
{
	int count = 0;

	getgrouplist(user, r->gid, NULL, &count);
	r->groups = calloc((size_t)count + 1, sizeof(*r->groups));
	if (!r->groups || getgrouplist(user, r->gid, r->groups, &count) < 0) {
		p->err = -ENOMEM;
		return false;
	}
	r->count = (size_t)count;
	return true;
}

bool config_rights(struct config_parse *p, const char *text, struct rights *r)
{
	const struct passwd *pw = getpwnam(text);
	uid_t uid;

	rights_finish(r);
	if (!pw) {
		if (!config_user(p, text, &uid))
			return false;
		*r = (struct rights){ .uid = uid, .gid = (gid_t)-1 };
		pw = getpwuid(uid);
		if (!pw)
			return true;
	}
	*r = (struct rights){ .uid = pw->pw_uid, .gid = pw->pw_gid };
	return config_find_groups(p, pw->pw_name, r);
}
