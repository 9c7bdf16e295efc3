/* The prologue of a channel by value: the bytes of a file, which is read when the configuration is. */
#include "config-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "prologue.h"

/* Returns 0, or a negative errno; *why says more than that where it is set. */
static int config_prologue_read(struct declared *d, const char *path, const char **why)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *bytes = malloc(PROLOGUE_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;
	struct stat st;

	if (!bytes)
		return -ENOMEM;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		*why = "is no regular file";
		return -EINVAL;
	}
	for (; n > 0 && len <= PROLOGUE_MAX; len += n > 0 ? (size_t)n : 0)
		n = read(fd, bytes + len, PROLOGUE_MAX + 1 - len);
	if (n < 0)
		return -errno;
	if (len == 0 || len > PROLOGUE_MAX) {
		*why = len ? "a prologue has 64K at most" : "there is nothing in it";
		return -EINVAL;
	}
	d->prologue = bytes;
	d->prologue_len = len;
	bytes = NULL;
	return 0;
}

void config_prologue(struct config_parse *p, struct declared *d, const char *path)
{
	const char *why = NULL;
	int err;

	if (d->prologue_file || d->given & 1u << SETTING_PROLOGUE) {
		config_mistake(p, "'prologue' is there twice in this section");
		return;
	}
	d->prologue_file = config_copy(p, path);
	if (!d->prologue_file)
		return;
	if (*path != '/') {
		config_mistake(p, "prologue: '%s' does not begin with '/'", path);
		return;
	}
	err = config_prologue_read(d, path, &why);
	if (err == -ENOMEM)
		p->err = err;
	if (err < 0)
		config_mistake(p, "prologue: %s: %s", path, why ? why : strerror(-err));
}
