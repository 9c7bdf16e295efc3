/* What there is mounted, as /proc/.../mountinfo tells (proc_pid_mountinfo(5)). */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "mount.h"

/* Undoes the octal escapes of proc(5)'s mountinfo, in place. */
static void mount_unescape(char *s)
{
	char *out = s;

	for (; *s; s++, out++) {
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*out = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*out = *s;
		}
	}
	*out = '\0';
}

/* The mount table. It takes no descriptor: there may be none left when the mount has to go. Returns NULL and sets errno. */
static char *mount_read(int mounts)
{
	size_t len = 0, room = 16384;
	char *text = malloc(room);
	ssize_t n = lseek(mounts, 0, SEEK_SET);

	while (n >= 0 && text && (n = read(mounts, text + len, room - 1 - len)) > 0) {
		len += (size_t)n;
		if (len == room - 1) {
			char *more = realloc(text, room *= 2);

			if (!more)
				free(text);
			text = more;
		}
	}
	if (n < 0) {
		free(text);
		return NULL;
	}
	if (text)
		text[len] = '\0';
	return text;
}

/* A line of the mount table. */
struct mount_line {
	struct mount_id id;
	char path[PATH_MAX + 1];
	char type[64];
};

static bool mount_parse(char *text, struct mount_line *line)
{
	const char *dash = strstr(text, " - ");

	if (!dash || sscanf(dash, " - %63s", line->type) != 1 ||
	    sscanf(text, "%d %*d %u:%u %*s %4096s", &line->id.id, &line->id.major, &line->id.minor, line->path) != 4)
		return false;
	mount_unescape(line->path);
	return true;
}

int mount_find(int mounts, const char *path, const char *type, struct mount_id *found)
{
	_cleanup_free_ char *text = mount_read(mounts);
	char *rest = text, *line;
	struct mount_line l;

	*found = (struct mount_id){ 0 };
	if (!text)
		return -errno;
	while ((line = strsep(&rest, "\n")))
		if (mount_parse(line, &l) && !strcmp(l.path, path) && (!type || !strcmp(l.type, type)))
			*found = l.id; /* the last one is on top */
	return 0;
}

bool mount_exists(int mounts, const struct mount_id *id)
{
	_cleanup_free_ char *text = mount_read(mounts);
	char *rest = text, *line;
	struct mount_line l;

	if (!text)
		return true;
	while ((line = strsep(&rest, "\n")))
		if (mount_parse(line, &l) && mount_same(&l.id, id))
			return true;
	return false;
}
