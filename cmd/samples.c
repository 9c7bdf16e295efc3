/*
 * A sample owns what it holds. A channel is in a list once, whatever names it was found by: its key is the file system
 * and the inode number, which all its names share and which stays when it is renamed.
 */
#include "samples.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sample *samples_find(const struct samples *list, const struct sample_key *key)
{
	struct sample *s;

	HASH_FIND(hh, list->by_key, key, sizeof(*key), s);
	return s;
}

static void sample_free(struct sample *s)
{
	free(s->root);
	free(s->path);
	json_decref(s->stats);
	json_decref(s->before);
	free(s);
}

int samples_insert(struct samples *list, struct sample_key key, const char *root, const char *name, double at,
		   json_t *stats)
{
	struct sample *s;

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		struct sample **all = realloc(list->all, room * sizeof(struct sample *));

		if (!all)
			return -ENOMEM;
		list->all = all;
		list->room = room;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->root = strdup(root);
	if (!s->root || asprintf(&s->path, "%s%s%s", root, *name == '/' ? "" : "/", name) < 0) {
		free(s->root);
		free(s);
		return -ENOMEM;
	}
	s->key = key;
	s->stats = json_incref(stats);
	s->at = at;
	HASH_ADD(hh, list->by_key, key, sizeof(s->key), s);
	if (!s->hh.tbl) {
		json_decref(s->stats);
		free(s->path);
		free(s->root);
		free(s);
		return -ENOMEM;
	}
	list->all[list->count++] = s;
	return 0;
}

void samples_follow(struct samples *list, struct samples *earlier)
{
	for (size_t i = 0; i < list->count; i++) {
		struct sample *s = list->all[i];
		struct sample *old = samples_find(earlier, &s->key);

		if (!old)
			continue;
		json_decref(s->before);
		s->before = old->stats;
		s->since = old->at;
		old->stats = NULL;
	}
}

const char *samples_root(const struct samples *list)
{
	for (size_t i = 1; i < list->count; i++)
		if (list->all[i]->key.dev != list->all[0]->key.dev)
			return NULL;
	return list->count ? list->all[0]->root : NULL;
}

void samples_free(struct samples *list)
{
	struct samples_mount *m;

	HASH_CLEAR(hh, list->by_key);
	for (size_t i = 0; i < list->count; i++)
		sample_free(list->all[i]);
	free(list->all);
	while ((m = list->mounts)) {
		list->mounts = m->next;
		json_decref(m->stats);
		free(m->root);
		free(m);
	}
	*list = (struct samples){ 0 };
}

/* ---- one of them ---- */

double sample_rate(const struct sample *s, const json_t *now, const json_t *before, const char *key)
{
	const json_t *a = json_object_get(now, key);
	const json_t *b = json_object_get(before, key);

	if (!json_is_integer(a) || !json_is_integer(b) || s->at <= s->since)
		return -1;
	return (double)(json_integer_value(a) - json_integer_value(b)) / (s->at - s->since);
}

static double sample_sum(const json_t *array, const char *key)
{
	double sum = 0;
	json_t *part;
	size_t i;

	json_array_foreach((json_t *)(void *)array, i, part)
		sum += (double)json_integer_value(json_object_get(part, key));
	return sum;
}

double sample_lost(const struct sample *s)
{
	return (double)json_integer_value(json_object_get(s->stats, "lost")) +
	       sample_sum(json_object_get(s->stats, "taps"), "lost") +
	       sample_sum(json_object_get(s->stats, "ports"), "lost");
}

const char *sample_leaf(const char *origin, const char *path)
{
	const char *slash = strrchr(origin, '/');
	size_t n = slash ? (size_t)(slash - origin) + 1 : 0;

	return n && !strncmp(origin, path, n) ? path + n : path;
}

const json_t *sample_tap_before(const struct sample *s, const char *name)
{
	json_t *tap;
	size_t i;

	json_array_foreach(json_object_get(s->before, "taps"), i, tap) {
		const char *other = json_string_value(json_object_get(tap, "name"));

		if (name && other && !strcmp(other, name))
			return tap;
	}
	return NULL;
}

const json_t *sample_port_before(const struct sample *s, json_int_t id)
{
	json_t *port;
	size_t i;

	json_array_foreach(json_object_get(s->before, "ports"), i, port)
		if (json_integer_value(json_object_get(port, "id")) == id)
			return port;
	return NULL;
}
