/*
 * Which channels are asked for: those of one file of each mount (stats-file.h), by name where a folder is given and by
 * inode number where a channel is. What the daemon does not tell the caller is not there; no folder is walked.
 */
#include "samples.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attribute.h"
#include "base.h"
#include "complaint.h"
#include "mounts.h"
#include "place.h"
#include "stats-file.h"
#include "text.h"

/* ---- names ---- */

/* Whether @name, from the mount's root, is below @folder, both as the daemon tells them. */
static bool samples_take_is_below(const char *name, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(name, folder, len) && name[len] == '/';
}

/* As a walk through the folders would find them: what is in a folder comes before what stands behind the folder. */
static int samples_take_compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (!*a || !*b)
		return *a ? 1 : *b ? -1 : 0;
	return *a == '/' ? -1 : *b == '/' ? 1 : (unsigned char)*a - (unsigned char)*b;
}

static int samples_take_compare(const void *left, const void *right)
{
	const struct sample *a = *(struct sample *const *)left, *b = *(struct sample *const *)right;

	return samples_take_compare_paths(a->path, b->path);
}

/* The name to show @channel by if one of its names is below @folder, else NULL. */
static const char *samples_take_name(const json_t *channel, const char *folder)
{
	const char *origin = json_string_value(json_object_get(channel, "channel")), *found = NULL;
	json_t *tap;
	size_t i;

	if (origin && (!*folder || samples_take_is_below(origin, folder)))
		return origin;
	json_array_foreach(json_object_get(channel, "taps"), i, tap) {
		const char *name = json_string_value(json_object_get(tap, "name"));

		if (name && (!*folder || samples_take_is_below(name, folder)) &&
		    (!found || samples_take_compare_paths(name, found) < 0))
			found = name;
	}
	return found && origin ? origin : found;
}

/* ---- what is asked for ---- */

static int samples_take_add_channel(struct samples *list, const struct samples_mount *m, json_t *channel,
				    const char *name)
{
	struct sample_key key = { .dev = m->dev, .ino = (ino_t)json_integer_value(json_object_get(channel, "inode")) };
	double at = json_real_value(json_object_get(m->stats, "uptime"));

	return samples_find(list, &key) ? 0 : samples_insert(list, key, m->root, name, at, channel);
}

/* The mount at @root, whose st_dev is @dev: read now, unless it has been. -EXDEV: another mount is there by now. */
static int samples_take_read_mount(struct samples *list, const char *root, dev_t dev, struct samples_mount **out)
{
	struct samples_mount *m = list->mounts;
	dev_t found;
	int err;

	while (m && m->dev != dev)
		m = m->next;
	*out = m;
	if (m)
		return 0;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->root = strdup(root);
	err = m->root ? stats_file_read(root, &m->stats, &found) : -ENOMEM;
	if (err == 0 && found != dev)
		err = -EXDEV;
	if (err < 0) {
		json_decref(m->stats);
		free(m->root);
		free(m);
		return err;
	}
	m->dev = dev;
	m->next = list->mounts;
	list->mounts = m;
	*out = m;
	return 0;
}

/* @folder: from the mount's root, "" for all. */
static int samples_take_add_folder(struct samples *list, const struct samples_mount *m, const char *folder)
{
	_cleanup_free_ char *told = text_to_utf8(folder);
	size_t first = list->count, i;
	int err = told ? 0 : -ENOMEM;
	json_t *channel;

	if (err < 0)
		return err;
	json_array_foreach(json_object_get(m->stats, "channels"), i, channel) {
		const char *name = samples_take_name(channel, told);

		if (name && err == 0)
			err = samples_take_add_channel(list, m, channel, name);
	}
	if (list->count > first)
		qsort(list->all + first, list->count - first, sizeof(struct sample *), samples_take_compare);
	return err;
}

/* Of what is not told of: why. */
static int samples_take_missing(const struct place *place, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) /* it has gone meanwhile */
		return -errno;
	if (S_ISFIFO(place->mode) || (S_ISREG(place->mode) && strncmp(place->inside, "/.spfs/", 7)))
		return -EACCES;
	return -EOPNOTSUPP;
}

int samples_add(struct samples *list, const char *path)
{
	struct samples_mount *m;
	struct place place;
	json_t *channel;
	size_t i;
	int err = place_find(&place, path);

	if (err == 0 && *place.part && !S_ISDIR(place.mode))
		return samples_add_by_attribute(list, path);
	if (err == 0)
		err = samples_take_read_mount(list, place.root, place.dev, &m);
	if (err < 0)
		return err;
	if (S_ISDIR(place.mode))
		return access(path, R_OK | X_OK) < 0 ? -errno : samples_take_add_folder(list, m, place.inside);
	json_array_foreach(json_object_get(m->stats, "channels"), i, channel) {
		const char *name = samples_take_name(channel, "");

		if (name && (ino_t)json_integer_value(json_object_get(channel, "inode")) == place.ino)
			return samples_take_add_channel(list, m, channel, name);
	}
	return samples_take_missing(&place, path);
}

int samples_rename(json_t *object, const char *key, const char *part)
{
	const char *name = json_string_value(json_object_get(object, key));
	_cleanup_free_ char *told = text_to_utf8(part);

	if (!told)
		return -ENOMEM;
	if (name && samples_take_is_below(name, told))
		json_object_set_new(object, key, json_string(name + strlen(told)));
	return 0;
}

static int samples_take_rename_all(json_t *stats, const char *part)
{
	json_t *tap;
	size_t i;
	int err = samples_rename(stats, "channel", part);

	if (err == 0)
		err = samples_rename(json_object_get(stats, "held_by"), "name", part);
	json_array_foreach(json_object_get(stats, "taps"), i, tap)
		if (err == 0)
			err = samples_rename(tap, "name", part);
	return err;
}

int samples_add_by_attribute(struct samples *list, const char *path)
{
	struct sample_key key;
	struct place place;
	json_t *stats = NULL;
	int err = place_find(&place, path);

	if (err < 0)
		return err;
	if (S_ISDIR(place.mode))
		return -EISDIR;
	key = (struct sample_key){ .dev = place.dev, .ino = place.ino };
	if (samples_find(list, &key))
		return 0;
	err = attribute_read(path, "spfs.stats", &stats);
	if (err == 0 && *place.part)
		err = samples_take_rename_all(stats, place.part);
	if (err == 0) {
		const char *origin = json_string_value(json_object_get(stats, "channel"));

		err = samples_insert(list, key, place.root, origin ? origin : place.inside, 0, stats);
	}
	json_decref(stats);
	return err;
}

/* Whether something else is seen where the mount should be. */
static bool samples_take_is_covered(const struct mount *m)
{
	struct stat st;

	return stat(m->root, &st) == 0 ? st.st_dev != m->dev : errno == ENOENT || errno == ENOTDIR;
}

/* Another user's mount, or one below another mount, is not for the caller: nothing to complain of. */
static void samples_take_add_mount(struct samples *list, const struct mount *mount, samples_failed failed, void *data)
{
	struct samples_mount *m;
	int err = samples_take_read_mount(list, mount->root, mount->dev, &m);

	if (err == 0)
		err = samples_take_add_folder(list, m, "");
	if (err < 0 && err != -EACCES && (err != -EXDEV || !samples_take_is_covered(mount)))
		failed(data, mount->root, err);
}

static void samples_take_add_mounts(struct samples *list, samples_failed failed, void *data)
{
	struct mounts mounts = { 0 };
	int err = mounts_find(&mounts);

	if (err < 0)
		failed(data, "/proc/self/mountinfo", err);
	for (size_t i = 0; err == 0 && i < mounts.count; i++)
		if (!*mounts.all[i].part)
			samples_take_add_mount(list, &mounts.all[i], failed, data);
	mounts_free(&mounts);
}

void samples_complain(void *failed, const char *what, int err)
{
	*(bool *)failed = true;
	complaint_print(what, place_reason(err));
}

void samples_complain_of_none(bool *failed, const struct samples *list, int count)
{
	if (count || list->mounts || *failed)
		return;
	*failed = true;
	complaint_print("mounts", "there is no mount of spfs that you may look into");
}

void samples_take(struct samples *list, char **paths, int count, samples_failed failed, void *data)
{
	if (!count)
		samples_take_add_mounts(list, failed, data);
	for (int i = 0; i < count; i++) {
		int err = samples_add(list, paths[i]);

		if (err < 0)
			failed(data, paths[i], err);
	}
}
