/*
 * A queue with its chunk bounds beside a model: a list of pieces of a text. The input is a program of operations on two
 * queues, one after another of them filled, drained, duplicated and given bytes back, while pipes are refused, come
 * smaller than was asked for, and splices come short.
 *
 * Each byte comes out once and in its place; what is dropped is whole chunks, and never one that has begun to go out;
 * what is refused changes nothing; no pipe is left.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "pipes.h"
#include "queue-parts.h"
#include "sys.h"

#define OPERATIONS 200
#define PIECES 512
#define WRITES 20      /* of a chunk */
#define SMALL_MAX 4096 /* a chunk in memory */
#define SHARED 4096    /* what chunks that share a bound have at most */

/* What is left of one chunk. */
struct piece {
	size_t at, len;
	bool begun; /* a part of it has gone out, or it has come back */
};

struct pieces {
	size_t count;
	size_t bytes;
	struct piece piece[PIECES];
};

struct modelled {
	struct queue queue;
	struct pieces model;
	struct pipe out; /* its reader's */
	int out_size;
	struct pieces went;
	bool joined; /* chunks that came back are one, whatever their size */
};

static struct modelled modelled[2];
static struct sys base;
static size_t text_used;
static int refused;     /* the next pipes */
static size_t shorter;  /* than this the next splice comes; 0: as it will */
static int granted_max; /* of a pipe that is resized */

const char *pipes_text(void)
{
	static char text[PIPES_TEXT];

	if (!text[1])
		for (size_t i = 0; i < PIPES_TEXT; i++)
			text[i] = (char)((i * UINT64_C(2654435761)) >> 13 ^ i);
	return text;
}

/* ---- what goes wrong ---- */

static ssize_t fault_splice(int in, int out, size_t len)
{
	size_t most = shorter;

	shorter = 0;
	return base.splice(in, out, most && most < len ? most : len);
}

static int fault_pipe(int fds[2], int flags)
{
	if (!refused)
		return base.pipe(fds, flags);
	refused--;
	return -EMFILE;
}

static int fault_resize(int fd, int bytes)
{
	return bytes > granted_max ? -EPERM : base.resize(fd, bytes);
}

static void fault_clear(void)
{
	refused = 0;
	shorter = 0;
}

/* ---- the model ---- */

static void pieces_push(struct pieces *p, struct piece piece)
{
	fuzz_check(p->count < PIECES, "too many pieces for the model");
	if (!piece.len)
		return;
	p->piece[p->count++] = piece;
	p->bytes += piece.len;
}

static void pieces_clear(struct pieces *p)
{
	p->count = p->bytes = 0;
}

static void pieces_copy(struct pieces *to, const struct pieces *from)
{
	to->count = from->count;
	to->bytes = from->bytes;
	memcpy(to->piece, from->piece, from->count * sizeof(struct piece));
}

/* Cuts the first @len bytes off; they go to @to, if there is one. */
static void pieces_cut(struct pieces *p, size_t len, struct pieces *to)
{
	size_t gone = 0;

	fuzz_check(len <= p->bytes, "%zu bytes of %zu", len, p->bytes);
	p->bytes -= len;
	while (len) {
		struct piece *first = &p->piece[gone], part = *first;

		if (part.len > len)
			part.len = len;
		if (to)
			pieces_push(to, part);
		first->at += part.len;
		first->len -= part.len;
		first->begun = true;
		len -= part.len;
		gone += !first->len;
	}
	p->count -= gone;
	memmove(p->piece, p->piece + gone, p->count * sizeof(struct piece));
}

/* Cuts @len bytes from @from on, both of them bounds of pieces. */
static void pieces_cut_middle(struct pieces *p, size_t from, size_t len)
{
	size_t i = 0, k;

	for (; from; from -= p->piece[i++].len)
		fuzz_check(i < p->count && p->piece[i].len <= from, "dropped from within a chunk on");
	p->bytes -= len;
	for (k = i; len; len -= p->piece[k++].len)
		fuzz_check(k < p->count && p->piece[k].len <= len, "dropped up to within a chunk");
	p->count -= k - i;
	memmove(p->piece + i, p->piece + k, (p->count - i) * sizeof(struct piece));
}

/* Bytes that nothing may drop. */
static size_t pieces_begun(const struct pieces *p)
{
	size_t bytes = 0;

	for (size_t i = 0; i < p->count && p->piece[i].begun; i++)
		bytes += p->piece[i].len;
	return bytes;
}

/* Whether pipe @fd gives the first @len bytes, which are cut. */
static bool pieces_come(struct pieces *p, int fd, size_t len)
{
	bool come = true;

	for (size_t i = 0, left = len; left && come; i++) {
		size_t n = p->piece[i].len < left ? p->piece[i].len : left;

		come = pipes_take(fd, p->piece[i].at, n);
		left -= n;
	}
	pieces_cut(p, len, NULL);
	return come;
}

/* ---- what holds at any time ---- */

static void queue_check(const struct queue *q, const struct pieces *model)
{
	const struct chunk_bounds *b = &q->bounds;
	const struct queue_link *link;
	size_t bytes = 0, capacity = 0;
	unsigned count = 0;

	TAILQ_FOREACH(link, &q->links, entry) {
		fuzz_check(link->bytes && link->capacity > 0, "an empty link");
		bytes += link->bytes;
		capacity += (size_t)link->capacity;
		count++;
	}
	fuzz_check(bytes == q->bytes && count == q->count && capacity == q->capacity,
		   "%zu of %zu bytes, %u of %u links, %zu of %zu capacity", q->bytes, bytes, q->count, count,
		   q->capacity, capacity);
	fuzz_check(q->bytes == model->bytes, "%zu bytes instead of %zu", q->bytes, model->bytes);
	bytes = 0;
	for (unsigned i = 0; i < b->count; i++) {
		fuzz_check(b->sizes[(b->head + i) & (b->room - 1)], "an empty chunk");
		bytes += b->sizes[(b->head + i) & (b->room - 1)];
	}
	fuzz_check(bytes == q->bytes, "chunks of %zu bytes, of %zu", bytes, q->bytes);
	fuzz_check(chunk_bounds_partial(b) >= pieces_begun(model), "%zu bytes begun, of %zu", chunk_bounds_partial(b),
		   pieces_begun(model));
	fuzz_check(queue_full(q, 0) == (q->bytes > 0) && queue_full(q, q->bytes) == (q->bytes > 0),
		   "full at its bytes");
}

/* ---- the operations ---- */

/* A chunk's size: mostly small, sometimes of many pages. */
static size_t chunk_pick(struct fuzz_input *in)
{
	size_t len = 1 + fuzz_below(in, 1 << 16);

	return len & 1 ? 1 + len % 300 : len & 2 ? len % 8192 + 1 : len;
}

/* Puts up to @len new bytes into pipe @fd by some writes of @each or more. Returns how many; *at: where they stand. */
static size_t chunk_write(int fd, size_t len, size_t each, size_t *at)
{
	size_t done = 0;

	*at = text_used;
	if (each < len / WRITES)
		each = len / WRITES;
	while (done < len) {
		size_t want = len - done < each ? len - done : each;
		ssize_t n = sys.write(fd, pipes_text() + text_used, want);

		if (n <= 0)
			break;
		text_used += (size_t)n;
		done += (size_t)n;
		if ((size_t)n < want)
			break;
	}
	return done;
}

static struct pipe pipe_make(int *size)
{
	struct pipe pipe = PIPE_NONE;

	fault_clear();
	*size = pipe_open(&pipe, PIPE_SIZE);
	fuzz_check(*size > 0, "no pipe: %d", *size);
	return pipe;
}

static void append_small(struct modelled *m, struct fuzz_input *in)
{
	size_t at = text_used, len = 1 + fuzz_below(in, SMALL_MAX), before = m->queue.bytes;
	size_t skip = m->queue.bytes ? 0 : fuzz_below(in, (unsigned)len);
	struct chunk chunk = { .stage = -1, .mem = pipes_text() + at, .len = len, .sink = pipes_sink() };
	int err;

	if (text_used + len > PIPES_TEXT || queue_reserve(&m->queue) < 0)
		return;
	text_used += len;
	err = queue_append(&m->queue, &chunk, skip);
	fuzz_check(err == 0, "%d", err);
	fuzz_check(m->queue.bytes == before + len - skip, "%zu instead of %zu", m->queue.bytes, before + len - skip);
	pieces_push(&m->model, (struct piece){ at + skip, len - skip, skip > 0 });
}

static void append_staged(struct modelled *m, struct fuzz_input *in)
{
	size_t len = chunk_pick(in), each = fuzz_byte(in) & 1 ? 4096 : 1 + fuzz_below(in, 6000), at, skip;
	int room = queue_reserve(&m->queue), size, err;
	struct chunk chunk = { .sink = pipes_sink() };
	struct pipe stage;

	if (room < 0 || text_used + len > PIPES_TEXT)
		return;
	stage = pipe_make(&size);
	/* A stage is no larger than what must take all of it. */
	if (pipe_fit(stage.wr, room < size ? room : size) < 0)
		goto out;
	len = chunk_write(stage.wr, len, each, &at);
	if (!len)
		goto out;
	chunk.stage = stage.rd;
	chunk.len = len;
	skip = m->queue.bytes ? 0 : fuzz_below(in, (unsigned)len);
	err = queue_append(&m->queue, &chunk, skip);
	fuzz_check(err == 0, "%d", err);
	pieces_push(&m->model, (struct piece){ at + skip, len - skip, skip > 0 });
	fuzz_check(pipes_take(stage.rd, at, len), "the stage has lost something");
out:
	pipe_close(&stage);
}

static void move(struct modelled *m, struct fuzz_input *in)
{
	size_t len = chunk_pick(in), each = 1 + fuzz_below(in, 6000), at;
	int room = queue_reserve(&m->queue), size;
	struct pipe from;
	ssize_t n;

	if (room < 0 || text_used + len > PIPES_TEXT)
		return;
	from = pipe_make(&size);
	len = chunk_write(from.wr, len, each, &at);
	shorter = fuzz_byte(in) & 1 ? 1 + fuzz_below(in, 5000) : 0;
	n = queue_move(&m->queue, from.rd, (struct chunk_start){ 0 });
	fuzz_check(n > 0 ? (size_t)n <= len : n == -EAGAIN && !len, "%zd of %zu", n, len);
	if (n > 0)
		pieces_push(&m->model, (struct piece){ at, (size_t)n, false });
	pipe_close(&from);
}

static void drop(struct modelled *m, struct fuzz_input *in)
{
	size_t begun = pieces_begun(&m->model), before = m->queue.bytes, first = 0;
	size_t partial = chunk_bounds_partial(&m->queue.bounds);
	ssize_t n = queue_drop(&m->queue, pipes_sink());

	fuzz_check(n >= 0 || n == -EMFILE, "%zd", n);
	if (n <= 0) {
		fuzz_check(m->queue.bytes == before && (n < 0 || partial == before), "%zd", n);
		return;
	}
	fuzz_check(partial >= begun && (m->joined || partial - begun <= SHARED),
		   "dropped from %zu on, of which %zu had begun", partial, begun);
	for (size_t i = 0, at = 0; i < m->model.count && !first; at += m->model.piece[i++].len)
		if (at == partial)
			first = m->model.piece[i].len;
	fuzz_check((size_t)n == first || n <= SHARED || m->joined, "%zd bytes at once, %zu of them the first chunk's",
		   n, first);
	pieces_cut_middle(&m->model, partial, (size_t)n);
}

static void drop_first(struct modelled *m, struct fuzz_input *in)
{
	size_t before = m->queue.bytes;
	int err = queue_drop_first(&m->queue, pipes_sink());

	fuzz_check(err == 0 && (!before || m->queue.bytes < before), "%d, %zu of %zu bytes left", err, m->queue.bytes,
		   before);
	pieces_cut_middle(&m->model, 0, before - m->queue.bytes);
}

static void skip_some(struct modelled *m, struct fuzz_input *in)
{
	size_t len = m->queue.bytes ? fuzz_below(in, (unsigned)m->queue.bytes + 1) : 0;
	int err = queue_skip(&m->queue, len, pipes_sink());

	fuzz_check(err == 0, "%d", err);
	pieces_cut(&m->model, len, NULL);
}

static void drain(struct modelled *m, struct fuzz_input *in)
{
	size_t limit = fuzz_below(in, 1 << 16), moved = 0, before = m->queue.bytes;
	int err;

	shorter = fuzz_byte(in) & 1 ? 1 + fuzz_below(in, 5000) : 0;
	err = queue_drain(&m->queue, m->out.wr, limit, &moved);
	fuzz_check(moved <= limit && m->queue.bytes == before - moved, "%zu moved, %zu left", moved, m->queue.bytes);
	fuzz_check(err == 0 ? moved == limit || !m->queue.bytes : err == -EAGAIN, "%d after %zu of %zu", err, moved,
		   limit);
	pieces_cut(&m->model, moved, &m->went);
}

static void read_some(struct modelled *m, struct fuzz_input *in)
{
	size_t len = m->went.bytes ? fuzz_below(in, (unsigned)m->went.bytes + 1) : 0;

	fuzz_check(pieces_come(&m->went, m->out.rd, len), "the reader gets something else");
}

/* What its reader has not read comes back, pipe and all. */
static void give_back(struct modelled *m, struct fuzz_input *in)
{
	struct pieces *all = &m->went;
	int err;

	if (!m->went.bytes || m->went.count + m->model.count > PIECES)
		return;
	err = queue_prepend(&m->queue, &m->out, m->went.bytes, m->out_size);
	fuzz_check(err == 0 && m->out.rd < 0, "%d", err);
	for (size_t i = 0; i < all->count; i++)
		all->piece[i].begun = true;
	for (size_t i = 0; i < m->model.count; i++)
		pieces_push(all, m->model.piece[i]);
	pieces_copy(&m->model, all);
	pieces_clear(&m->went);
	m->joined = true;
	m->out = pipe_make(&m->out_size);
}

static void peek(struct modelled *m, struct fuzz_input *in)
{
	size_t want = 1 + fuzz_below(in, 1 << 16);
	static struct pieces copy;
	int size;
	struct pipe to = pipe_make(&size);
	ssize_t n = queue_peek(&m->queue, to.wr, want);

	fuzz_check(n >= 0 && (size_t)n <= want && (n > 0 || !m->queue.bytes), "%zd of %zu", n, m->queue.bytes);
	pieces_copy(&copy, &m->model);
	fuzz_check(pieces_come(&copy, to.rd, (size_t)n), "it shows something else");
	pipe_close(&to);
}

/* The other one becomes its duplicate, whole or from somewhere on. */
static void duplicate(struct modelled *m, struct fuzz_input *in)
{
	struct modelled *to = &modelled[m == modelled];
	int err;

	queue_clear(&to->queue);
	pieces_clear(&to->model);
	err = queue_duplicate(&to->queue, &m->queue);
	fuzz_check(err == 0 || err == -EMFILE, "%d", err);
	fuzz_check(to->queue.bytes <= m->queue.bytes && (err == 0 || !to->queue.bytes), "%d: %zu of %zu", err,
		   to->queue.bytes, m->queue.bytes);
	if (err < 0)
		return;
	pieces_copy(&to->model, &m->model);
	pieces_cut(&to->model, m->queue.bytes - to->queue.bytes, NULL);
	to->joined = m->joined;
}

static void clear(struct modelled *m, struct fuzz_input *in)
{
	queue_clear(&m->queue);
	pieces_clear(&m->model);
}

static void rest(struct modelled *m, struct fuzz_input *in)
{
	queue_rest(&m->queue);
}

static void refuse(struct modelled *m, struct fuzz_input *in)
{
	refused = (int)(fuzz_byte(in) & 3);
}

static void grant(struct modelled *m, struct fuzz_input *in)
{
	granted_max = 4096 << (fuzz_byte(in) % 9);
}

static void (*const operations[])(struct modelled *m, struct fuzz_input *in) = {
	append_small, append_staged, move, drain, read_some, drop,      drop_first, skip_some,
	give_back,    peek,          rest, grant, refuse,    duplicate, clear,
};

/* All that is there comes out. */
static void queue_drain_all(struct modelled *m)
{
	while (m->queue.bytes || m->went.bytes) {
		size_t moved = 0, before = m->queue.bytes + m->went.bytes;

		queue_drain(&m->queue, m->out.wr, SIZE_MAX, &moved);
		pieces_cut(&m->model, moved, &m->went);
		fuzz_check(pieces_come(&m->went, m->out.rd, m->went.bytes), "something else is left");
		fuzz_check(m->queue.bytes < before, "nothing more comes");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	if (!base.splice) {
		pipes_install();
		base = sys;
		sys.splice = fault_splice;
		sys.pipe = fault_pipe;
		sys.resize = fault_resize;
	}
	text_used = 0;
	granted_max = 1 << 16;
	for (int i = 0; i < 2; i++) {
		pieces_clear(&modelled[i].model);
		pieces_clear(&modelled[i].went);
		modelled[i].joined = false;
		queue_init(&modelled[i].queue);
		modelled[i].out = pipe_make(&modelled[i].out_size);
	}
	for (unsigned n = 0; in.left && n < OPERATIONS; n++) {
		unsigned op = fuzz_byte(&in);
		struct modelled *m = &modelled[op >> 7];

		if (m->model.count + 1 < PIECES)
			operations[op % 128 % (sizeof(operations) / sizeof(*operations))](m, &in);
		shorter = 0;
		for (int i = 0; i < 2; i++) {
			queue_check(&modelled[i].queue, &modelled[i].model);
			modelled[i].joined &= modelled[i].queue.bytes > 0;
		}
	}
	fault_clear();
	for (int i = 0; i < 2; i++) {
		queue_drain_all(&modelled[i]);
		queue_finish(&modelled[i].queue);
		pipe_close(&modelled[i].out);
	}
	fuzz_check(!pipes_open(), "%u pipes are left", pipes_open());
	return 0;
}
