#include "samples.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#include "clock.h"
#include "mounts.h"
#include "place.h"

/* The text grows with every tap and digit: ask again while it does. Returns 0 or a positive errno. */
static int get(const char *path, const char *attribute, json_t **json)
{
	ssize_t size = getxattr(path, attribute, NULL, 0);

	while (size >= 0) {
		char *text = malloc((size_t)size + 1);
		ssize_t n = text ? getxattr(path, attribute, text, (size_t)size) : -1;

		if (n >= 0) {
			*json = json_loadb(text, (size_t)n, 0, NULL);
			free(text);
			return *json ? 0 : EBADMSG;
		}
		free(text);
		if (errno != ERANGE)
			break;
		size = getxattr(path, attribute, NULL, 0);
	}
	return errno;
}

static struct sample *find_key(struct samples *list, const struct sample_key *key)
{
	struct sample *s;

	HASH_FIND(hh, list->by_key, key, sizeof(*key), s);
	return s;
}

static struct sample *find(struct samples *list, const struct stat *st)
{
	struct sample_key key = { .dev = st->st_dev, .ino = st->st_ino };

	return find_key(list, &key);
}

static void sample_free(struct sample *s)
{
	free(s->root);
	free(s->path);
	json_decref(s->stats);
	json_decref(s->before);
	json_decref(s->ports);
	json_decref(s->ports_before);
	free(s);
}

static struct sample *new_sample(struct samples *list, const char *root, const char *path, const struct stat *st)
{
	struct sample *s;

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		struct sample **all = realloc(list->all, room * sizeof(struct sample *));

		if (!all)
			return NULL;
		list->all = all;
		list->room = room;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->root = strdup(root);
	s->path = strdup(path);
	if (!s->root || !s->path) {
		sample_free(s);
		return NULL;
	}
	s->key = (struct sample_key){ .dev = st->st_dev, .ino = st->st_ino };
	HASH_ADD(hh, list->by_key, key, sizeof(s->key), s);
	list->all[list->count++] = s;
	return s;
}

/* One more name: of a new channel, or of one whose other names could not be read. */
static int add_name(struct samples *list, const char *root, const char *path, const struct stat *st)
{
	struct sample *s = find(list, st);
	json_t *stats = NULL;
	char *copy;
	int err;

	if (s && !s->err)
		return 0;
	err = get(path, "spfs.stats", &stats);
	if (err == ENOENT) /* it went meanwhile */
		return 0;
	if (!s)
		s = new_sample(list, root, path, st);
	copy = s ? strdup(path) : NULL;
	if (!copy) {
		json_decref(stats);
		return ENOMEM;
	}
	free(s->path);
	s->path = copy;
	s->at = clock_now();
	s->stats = stats;
	s->err = err;
	return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* A FIFO, or the origin of a packet channel: a regular file. */
static bool may_be_channel(const FTSENT *entry)
{
	if (entry->fts_info == FTS_F)
		return getxattr(entry->fts_path, "spfs.packets", NULL, 0) >= 0 ||
		       (errno != EOPNOTSUPP && errno != ENODATA);
	return entry->fts_info == FTS_DEFAULT && S_ISFIFO(entry->fts_statp->st_mode);
}

/* Adds what is below @dir; @only, where not NULL, just the channel with that number. */
static int walk(struct samples *list, const char *root, const char *dir, const struct stat *only)
{
	char *paths[] = { (char *)(void *)dir, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, by_name);
	FTSENT *entry;
	int err = 0;

	if (!fts)
		return errno;
	while (!err && (entry = fts_read(fts))) {
		if ((!only || only->st_ino == entry->fts_statp->st_ino) && may_be_channel(entry))
			err = add_name(list, root, entry->fts_path, entry->fts_statp);
		else if (entry->fts_info == FTS_DNR && entry->fts_level == 0)
			err = entry->fts_errno;
	}
	fts_close(fts);
	return err;
}

int samples_add(struct samples *list, const char *path)
{
	struct place place;
	struct stat st;
	struct sample *s;
	int err;

	if (stat(path, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return samples_add_tree(list, path);
	err = place_of(&place, path);
	if (!err)
		err = add_name(list, place.root, place.path, &st);
	s = err ? NULL : find(list, &st);
	/* A teed channel's origin may be written only, but its taps read. */
	if (s && s->err == EACCES)
		err = walk(list, place.root, place.root, &st);
	s = err ? NULL : find(list, &st);
	return s ? s->err : err ? err : ENOENT;
}

/* Where the mount has gone, the mount point is a folder as any other. */
int samples_add_tree(struct samples *list, const char *dir)
{
	struct mounts mounts = { 0 };
	struct place place;
	int err = place_of(&place, dir);

	if (!err)
		err = mounts_find(&mounts);
	if (!err && !mounts_have(&mounts, place.root))
		err = EOPNOTSUPP;
	mounts_free(&mounts);
	return err ? err : walk(list, place.root, place.path, NULL);
}

int samples_add_mounts(struct samples *list)
{
	struct mounts mounts = { 0 };
	int err = mounts_find(&mounts);

	for (size_t i = 0; !err && i < mounts.count; i++)
		err = walk(list, mounts.roots[i], mounts.roots[i], NULL);
	mounts_free(&mounts);
	return err;
}

void samples_again(struct samples *list, double seconds)
{
	struct timespec ts = { .tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < list->count; i++) {
		struct sample *s = list->all[i];
		json_t *stats = NULL;

		if (s->err || get(s->path, "spfs.stats", &stats))
			continue;
		json_decref(s->before);
		s->before = s->stats;
		s->since = s->at;
		s->stats = stats;
		s->at = clock_now();
	}
}

void samples_add_ports(struct samples *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct sample *s = list->all[i];

		if (!s->err && !s->ports)
			get(s->path, "spfs.ports", &s->ports);
	}
}

void samples_follow(struct samples *list, struct samples *earlier)
{
	for (size_t i = 0; i < list->count; i++) {
		struct sample *s = list->all[i];
		struct sample *old = find_key(earlier, &s->key);

		if (!old)
			continue;
		json_decref(s->before);
		json_decref(s->ports_before);
		s->before = old->stats;
		s->ports_before = old->ports;
		s->since = old->at;
		old->stats = old->ports = NULL;
	}
}

const char *samples_root(const struct samples *list)
{
	for (size_t i = 1; i < list->count; i++)
		if (strcmp(list->all[i]->root, list->all[0]->root))
			return NULL;
	return list->count ? list->all[0]->root : NULL;
}

void samples_free(struct samples *list)
{
	HASH_CLEAR(hh, list->by_key);
	for (size_t i = 0; i < list->count; i++)
		sample_free(list->all[i]);
	free(list->all);
	*list = (struct samples){ 0 };
}

double sample_rate(const struct sample *s, const json_t *after, const json_t *before, const char *key)
{
	const json_t *a = json_object_get(after, key);
	const json_t *b = json_object_get(before, key);

	if (!json_is_integer(a) || !json_is_integer(b) || s->at <= s->since)
		return -1;
	return (double)(json_integer_value(a) - json_integer_value(b)) / (s->at - s->since);
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

	json_array_foreach(s->ports_before, i, port)
		if (json_integer_value(json_object_get(port, "id")) == id)
			return port;
	return NULL;
}
