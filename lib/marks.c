#include "marks.h"

#include <stdlib.h>

#define SHARED_BYTES 4096

static uint32_t *at(const struct marks *m, unsigned i)
{
	return &m->sizes[(m->head + i) & (m->room - 1)];
}

static bool grow(struct marks *m)
{
	unsigned room = m->room ? 2 * m->room : 16;
	uint32_t *sizes = malloc(room * sizeof(*sizes));

	if (!sizes)
		return false;
	for (unsigned i = 0; i < m->count; i++)
		sizes[i] = *at(m, i);
	free(m->sizes);
	m->sizes = sizes;
	m->room = room;
	m->head = 0;
	return true;
}

void marks_append(struct marks *m, size_t bytes)
{
	uint32_t *last = m->count ? at(m, m->count - 1) : NULL;

	if (last && *last + bytes <= SHARED_BYTES && !(m->lead && m->count == 1)) {
		*last += (uint32_t)bytes;
	} else if (m->count < m->room || grow(m)) {
		*at(m, m->count++) = (uint32_t)bytes;
	} else if (last) {
		*last += (uint32_t)bytes;
	}
}

void marks_copy(struct marks *m, const struct marks *from, size_t skip)
{
	for (unsigned i = 0; i < from->count; i++) {
		size_t size = *at(from, i), less = skip < size ? skip : size;

		skip -= less;
		if (size > less)
			marks_append(m, size - less);
	}
}

static void pop(struct marks *m)
{
	m->head = (m->head + 1) & (m->room - 1);
	m->count--;
}

void marks_take(struct marks *m, size_t bytes)
{
	while (bytes && m->count) {
		uint32_t *first = at(m, 0);

		m->lead = bytes < *first;
		if (m->lead) {
			*first -= (uint32_t)bytes;
			return;
		}
		bytes -= *first;
		pop(m);
	}
}

void marks_give_back(struct marks *m, size_t bytes)
{
	if (!m->lead && (m->count < m->room || grow(m))) {
		m->head = (m->head - 1) & (m->room - 1);
		m->count++;
		*at(m, 0) = 0;
	}
	if (m->count)
		*at(m, 0) += (uint32_t)bytes;
	m->lead = m->count > 0;
}

size_t marks_lead(const struct marks *m)
{
	return m->lead ? *at(m, 0) : 0;
}

size_t marks_oldest(const struct marks *m)
{
	return m->count > m->lead ? *at(m, m->lead) : 0;
}

void marks_drop(struct marks *m)
{
	if (m->lead)
		*at(m, 1) = *at(m, 0);
	pop(m);
}

void marks_finish(struct marks *m)
{
	free(m->sizes);
	*m = (struct marks){ 0 };
}
