/*
 * As the kernel's pipes, slot by slot: a slot holds a reference to a page or a part of one. splice(2) moves slots, and
 * splits one where it is told to move less; tee(2) duplicates them from the head on; what is written merges with the
 * last slot where both are one piece of the text. A slot has no memory, only its place in the text.
 */
#include "pipes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "sys.h"

#define PAGE 4096
#define SLOTS 16
#define PIPES 512
#define FIRST_FD 64 /* behind those of libFuzzer's */
#define SINK_FD (FIRST_FD - 1)

struct slot {
	size_t at, len;
	bool merges; /* was written, and is nobody else's */
};

struct pretended {
	bool open[2];
	unsigned room; /* slots */
	unsigned count;
	struct slot slots[SLOTS];
};

static struct pretended pipes[PIPES];
static unsigned pipes_used;

/* The pipe of @fd, which is open, and its read (0) or write (1) end. */
static struct pretended *pretended_of(int fd, int end)
{
	struct pretended *p = &pipes[(fd - FIRST_FD) / 2];

	fuzz_check(fd >= FIRST_FD && fd < FIRST_FD + 2 * PIPES && (fd - FIRST_FD) % 2 == end && p->open[end],
		   "descriptor %d", fd);
	return p;
}

static void pretended_pop(struct pretended *p, size_t len)
{
	p->slots[0].at += len;
	p->slots[0].len -= len;
	if (!p->slots[0].len)
		memmove(p->slots, p->slots + 1, --p->count * sizeof(struct slot));
}

static bool pretended_push(struct pretended *p, struct slot slot)
{
	if (p->count == p->room)
		return false;
	p->slots[p->count++] = slot;
	return true;
}

static ssize_t pretended_splice(int in, int out, size_t len)
{
	struct pretended *from = pretended_of(in, 0), *to = out == SINK_FD ? NULL : pretended_of(out, 1);
	size_t moved = 0;

	while (from->count && moved < len) {
		struct slot slot = from->slots[0];

		if (slot.len > len - moved) {
			slot.len = len - moved;
			slot.merges = from->slots[0].merges = false;
		}
		if (to && !pretended_push(to, slot))
			break;
		pretended_pop(from, slot.len);
		moved += slot.len;
	}
	return moved || !len ? (ssize_t)moved : from->count || from->open[1] ? -EAGAIN : 0;
}

static ssize_t pretended_tee(int in, int out, size_t len)
{
	struct pretended *from = pretended_of(in, 0), *to = pretended_of(out, 1);
	size_t moved = 0;

	for (unsigned i = 0; i < from->count && moved < len; i++) {
		struct slot slot = from->slots[i];

		slot.merges = false;
		if (slot.len > len - moved)
			slot.len = len - moved;
		if (!pretended_push(to, slot))
			break;
		moved += slot.len;
	}
	return moved || !len ? (ssize_t)moved : -EAGAIN;
}

static ssize_t pretended_write(int fd, const void *buf, size_t len)
{
	struct pretended *p = pretended_of(fd, 1);
	struct slot *last = p->count ? &p->slots[p->count - 1] : NULL;
	size_t at = (size_t)((const char *)buf - pipes_text()), first = len % PAGE, done = 0;

	fuzz_check((const char *)buf >= pipes_text() && at + len <= PIPES_TEXT, "of another text");
	if (last && last->merges && first && last->at + last->len == at && last->len + first <= PAGE) {
		last->len += first;
		done = first;
	}
	while (done < len) {
		size_t n = len - done < PAGE ? len - done : PAGE;

		if (!pretended_push(p, (struct slot){ at + done, n, true }))
			break;
		done += n;
	}
	return done || !len ? (ssize_t)done : -EAGAIN;
}

static int pretended_pipe(int fds[2], int flags)
{
	unsigned i = 0;

	while (i < PIPES && (pipes[i].open[0] || pipes[i].open[1]))
		i++;
	if (i == PIPES)
		return -ENFILE;
	pipes[i] = (struct pretended){ .open = { true, true }, .room = SLOTS };
	pipes_used++;
	fds[0] = FIRST_FD + 2 * (int)i;
	fds[1] = fds[0] + 1;
	return 0;
}

static int pretended_resize(int fd, int bytes)
{
	struct pretended *p = pretended_of(fd, 1);
	unsigned slots = (unsigned)bytes / PAGE;

	if (slots > SLOTS)
		return -EPERM;
	if (slots < p->count)
		return -EBUSY;
	p->room = slots;
	return bytes;
}

/* What closes it is linked with --wrap=close. */
int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
	struct pretended *p;

	if (fd < FIRST_FD || fd >= FIRST_FD + 2 * PIPES)
		return __real_close(fd);
	p = pretended_of(fd, (fd - FIRST_FD) % 2);
	p->open[(fd - FIRST_FD) % 2] = false;
	pipes_used -= !p->open[0] && !p->open[1];
	return 0;
}

void pipes_install(void)
{
	sys.splice = pretended_splice;
	sys.tee = pretended_tee;
	sys.write = pretended_write;
	sys.pipe = pretended_pipe;
	sys.resize = pretended_resize;
}

int pipes_sink(void)
{
	return SINK_FD;
}

bool pipes_take(int fd, size_t at, size_t len)
{
	struct pretended *p = pretended_of(fd, 0);

	while (len) {
		size_t n = p->count && p->slots[0].len < len ? p->slots[0].len : len;

		if (!p->count || p->slots[0].at != at)
			return false;
		pretended_pop(p, n);
		at += n;
		len -= n;
	}
	return true;
}

unsigned pipes_open(void)
{
	return pipes_used;
}
