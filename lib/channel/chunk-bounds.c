/*
 * The sizes are kept in order in a ring, the oldest at its head; of the first one a part may be with the reader already
 * (partial). Out of memory two chunks become one: more is dropped at once then, but never a part of a chunk.
 */
#include "chunk-bounds.h"

#include <stdlib.h>

#define SHARED_BYTES 4096

/* So many chunks have each a bound of their own. */
#define EXACT_CHUNKS 256

static uint32_t *chunk_bounds_at(const struct chunk_bounds *m, unsigned i)
{
	return &m->sizes[(m->head + i) & (m->room - 1)];
}

static size_t chunk_bounds_size(const struct chunk_bounds *m, unsigned i)
{
	return *chunk_bounds_at(m, i) & ~CHUNK_LOOSE;
}

static bool chunk_bounds_grow(struct chunk_bounds *m)
{
	unsigned room = m->room ? 2 * m->room : 16;
	uint32_t *sizes = malloc(room * sizeof(*sizes));

	if (!sizes)
		return false;
	for (unsigned i = 0; i < m->count; i++)
		sizes[i] = *chunk_bounds_at(m, i);
	free(m->sizes);
	m->sizes = sizes;
	m->room = room;
	m->head = 0;
	return true;
}

static void chunk_bounds_push(struct chunk_bounds *m, size_t bytes, bool loose)
{
	if (m->count < m->room || chunk_bounds_grow(m))
		*chunk_bounds_at(m, m->count++) = (uint32_t)bytes | (loose ? CHUNK_LOOSE : 0);
	else if (m->count)
		*chunk_bounds_at(m, m->count - 1) += (uint32_t)bytes;
}

/* The rest of a record, of which what is first may be with the reader. */
static void chunk_bounds_append_ahead(struct chunk_bounds *m, size_t bytes)
{
	if (m->count) {
		*chunk_bounds_at(m, m->count - 1) += (uint32_t)bytes;
		return;
	}
	chunk_bounds_push(m, bytes, false);
	m->partial = m->count > 0;
}

static bool chunk_bounds_shares(const struct chunk_bounds *m, size_t bytes, struct chunk_start start)
{
	return m->count > EXACT_CHUNKS && !start.first && chunk_bounds_size(m, m->count - 1) + bytes <= SHARED_BYTES;
}

void chunk_bounds_append(struct chunk_bounds *m, size_t bytes, struct chunk_start start)
{
	size_t ahead = start.ahead < bytes ? start.ahead : bytes;

	if (ahead)
		chunk_bounds_append_ahead(m, ahead);
	bytes -= ahead;
	if (bytes && chunk_bounds_shares(m, bytes, start))
		*chunk_bounds_at(m, m->count - 1) += (uint32_t)bytes;
	else if (bytes)
		chunk_bounds_push(m, bytes, start.loose);
}

void chunk_bounds_copy(struct chunk_bounds *m, const struct chunk_bounds *from, size_t skip)
{
	m->partial = from->partial;
	for (unsigned i = 0; i < from->count; i++) {
		size_t size = chunk_bounds_size(from, i), less = skip < size ? skip : size;

		skip -= less;
		if (size > less)
			chunk_bounds_push(m, size - less, *chunk_bounds_at(from, i) & CHUNK_LOOSE);
		if (less)
			m->partial = size > less;
	}
}

static void chunk_bounds_pop(struct chunk_bounds *m)
{
	m->head = (m->head + 1) & (m->room - 1);
	m->count--;
}

void chunk_bounds_take(struct chunk_bounds *m, size_t bytes)
{
	while (bytes && m->count) {
		size_t first = chunk_bounds_size(m, 0);

		m->partial = bytes < first;
		if (m->partial) {
			*chunk_bounds_at(m, 0) -= (uint32_t)bytes;
			return;
		}
		bytes -= first;
		chunk_bounds_pop(m);
	}
}

void chunk_bounds_give_back(struct chunk_bounds *m, size_t bytes)
{
	if (!m->partial && (m->count < m->room || chunk_bounds_grow(m))) {
		m->head = (m->head - 1) & (m->room - 1);
		m->count++;
		*chunk_bounds_at(m, 0) = 0;
	}
	if (m->count)
		*chunk_bounds_at(m, 0) += (uint32_t)bytes;
	m->partial = m->count > 0;
}

size_t chunk_bounds_partial(const struct chunk_bounds *m)
{
	return m->partial ? chunk_bounds_size(m, 0) : 0;
}

size_t chunk_bounds_oldest(const struct chunk_bounds *m)
{
	return m->count > m->partial ? chunk_bounds_size(m, m->partial) : 0;
}

bool chunk_bounds_loose(const struct chunk_bounds *m)
{
	return m->count > m->partial && (*chunk_bounds_at(m, m->partial) & CHUNK_LOOSE);
}

void chunk_bounds_drop(struct chunk_bounds *m)
{
	if (m->partial)
		*chunk_bounds_at(m, 1) = *chunk_bounds_at(m, 0);
	chunk_bounds_pop(m);
}

void chunk_bounds_cut(struct chunk_bounds *m, size_t bytes)
{
	while (bytes && bytes >= chunk_bounds_oldest(m) && m->count > m->partial) {
		bytes -= chunk_bounds_oldest(m);
		chunk_bounds_drop(m);
	}
	if (m->count > m->partial)
		*chunk_bounds_at(m, m->partial) = (uint32_t)(chunk_bounds_oldest(m) - bytes);
}

void chunk_bounds_keep(struct chunk_bounds *m, size_t bytes)
{
	chunk_bounds_cut(m, bytes);
	if (bytes)
		chunk_bounds_give_back(m, bytes);
}

void chunk_bounds_settle(struct chunk_bounds *m)
{
	m->partial = false;
	if (m->count)
		*chunk_bounds_at(m, 0) &= ~CHUNK_LOOSE;
}

void chunk_bounds_finish(struct chunk_bounds *m)
{
	free(m->sizes);
	*m = (struct chunk_bounds){ 0 };
}
