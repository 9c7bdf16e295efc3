/*
 * From a file to headings and keys. inih takes a line apart: comments, blanks, key and value. It gets the file line by
 * line, because what it does not do is done here: it counts no lines, cuts names of sections short, and says nothing
 * of a section without keys.
 *
 * A file with mistakes is read to its end, so that each is told, and then thrown away.
 */
#include "config-parts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

#define FILE_MAX (1 << 20)

struct reader {
	struct config_parse parse;
	const char *next;
	const char *end;
};

/* ---- lines ---- */

static bool config_read_is_clean(const char *line)
{
	for (; *line; line++)
		if (iscntrl((unsigned char)*line) && *line != '\t')
			return false;
	return true;
}

/* @line begins with '['. */
static void config_read_heading(struct config_parse *p, char *line)
{
	char *end = strchr(line, ']');

	p->section = CONFIG_NONE;
	p->seen = 0;
	if (!end) {
		config_mistake(p, "']' is missing");
		return;
	}
	*end++ = '\0';
	end += strspn(end, " \t");
	if (*end && *end != ';' && *end != '#')
		config_mistake(p, "there is more behind ']'");
	else
		config_heading(p, line + 1);
}

/* ini_reader: the next line, or a blank one where there is nothing to be taken apart. */
static char *config_read_line(char *to, int room, void *data)
{
	struct reader *r = data;
	struct config_parse *p = &r->parse;
	const char *line = r->next;
	size_t len;
	char *text;

	if (line == r->end || p->err)
		return NULL;
	p->line++;
	len = strcspn(line, "\n");
	if (len > (size_t)(r->end - line)) /* never: the file ends with a zero byte */
		return NULL;
	r->next = line + len + (line[len] == '\n');
	if (len && line[len - 1] == '\r')
		len--;
	if (len + 2 > (size_t)room) {
		config_mistake(p, "the line is longer than %d bytes", room - 2);
		len = 0;
	}
	memcpy(to, line, len);
	to[len] = '\0';
	text = to + strspn(to, " \t");
	if (!config_read_is_clean(to)) {
		config_mistake(p, "a control character");
		*to = '\0';
	} else if (*text == '[') {
		config_read_heading(p, text);
		*to = '\0';
	}
	strcat(to, "\n");
	return to;
}

/* ini_handler; the section is ours to know. */
static int config_read_take(void *data, const char *section, const char *name, const char *value)
{
	struct config_parse *p = &((struct reader *)data)->parse;

	if (!value)
		config_mistake(p, "'%s' is neither KEY = VALUE nor [SECTION]", name);
	else if (!*name)
		config_mistake(p, "there is no key in front of '='");
	else if (!*value)
		config_mistake(p, "'%s' has no value", name);
	else if (p->section != CONFIG_NONE)
		config_key(p, name, value);
	else if (!memcmp(p->begun, (unsigned[CONFIG_SECTIONS]){ 0 }, sizeof(p->begun)))
		config_mistake(p, "'%s' is in no section", name);
	return 1;
}

static void config_read_parse(struct reader *r)
{
	/* Multiple lines to a value would make of an indented mistake a value. */
	ini_allow_multiline = false;
	ini_allow_no_value = true;
	ini_use_stack = false;
	ini_initial_alloc = ini_max_line = CONFIG_LINE_MAX + 2;
	ini_inline_comment_prefixes = (char *)(void *)(uintptr_t) ";#";
	if (ini_parse_stream(config_read_line, r, config_read_take, r) == -2)
		r->parse.err = -ENOMEM;
}

/* ---- the file ---- */

/* The text, with a zero byte behind it, or NULL with *err set. */
static char *config_read_load(const char *path, size_t *size, int *err)
{
	/* (a FIFO would wait for its writer) */
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = malloc(FILE_MAX + 1);
	struct stat st;
	ssize_t n = 1;

	*err = !text ? -ENOMEM : fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	if (*err == 0 && !S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		*err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	for (*size = 0; *err == 0 && n > 0; *size += (size_t)n) {
		n = read(fd, text + *size, FILE_MAX + 1 - *size);
		if (n < 0)
			*err = -errno;
		else if (*size + (size_t)n > FILE_MAX)
			*err = -EFBIG;
	}
	if (*err == 0) {
		text[*size] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

static void config_read_check_text(struct reader *r, const char *text, size_t size)
{
	const char *zero = memchr(text, '\0', size);

	if (!zero)
		return;
	for (const char *c = text; c < zero; c++)
		r->parse.line += *c == '\n';
	r->parse.line++;
	config_mistake(&r->parse, "a zero byte: this is not a text");
	r->parse.line = 0;
	r->end = zero; /* what is before it may be */
}

int config_read_text(const char *file, const char *text, size_t size, struct config **config, struct lines *mistakes)
{
	struct reader r = { .parse = { .file = file, .mistakes = mistakes, .config = config_create() } };
	struct config_parse *p = &r.parse;
	size_t before = mistakes->count;
	int err;

	if (!p->config)
		return -ENOMEM;
	r.next = text + (!strncmp(text, "\xef\xbb\xbf", 3) ? 3 : 0);
	r.end = text + size;
	config_read_check_text(&r, text, size);
	config_read_parse(&r);
	config_declared_check(p);
	p->config->file = config_copy(p, file);
	err = p->err ? p->err : mistakes->count > before ? -EINVAL : 0;
	if (err == 0)
		*config = p->config;
	else
		config_unref(p->config);
	return err;
}

int config_read(const char *path, struct config **config, struct lines *mistakes)
{
	size_t size = 0;
	int err = 0;
	_cleanup_free_ char *text = config_read_load(path, &size, &err);

	if (text)
		return config_read_text(path, text, size, config, mistakes);
	if (err == -ENOMEM)
		return err;
	config_mistake(&(struct config_parse){ .file = path, .mistakes = mistakes }, "%s",
		       err == -EINVAL ? "not a file" : strerror(-err));
	return -EINVAL;
}
