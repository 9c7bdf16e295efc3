/*
 * Samples: what the daemon tells of channels. All channels of a mount are told of at one moment, in one file
 * (stats-file.h), and only those that the caller may read or write. A later list follows an earlier one, so that there
 * are rates.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include <uthash.h>

struct sample_key {
	dev_t dev;
	ino_t ino;
};

struct sample {
	UT_hash_handle hh;
	struct sample_key key;
	char *root;     /* the mount point */
	char *path;     /* the origin; where it is gone, the tap by which the channel was found; absolute */
	json_t *stats;  /* the channel as stats.json has it */
	double at;      /* when, in seconds of the daemon's uptime */
	json_t *before; /* the same from an earlier list, or NULL */
	double since;   /* when that was */
};

/* A mount whose file was read. */
struct samples_mount {
	struct samples_mount *next;
	char *root;
	dev_t dev;
	json_t *stats;
};

/* Zero-valid. */
struct samples {
	struct sample **all; /* by name, within what was asked for at once */
	struct sample *by_key;
	size_t count;
	size_t room;
	struct samples_mount *mounts;
};

/* ---- what is asked for (samples-take.c) ---- */

/*
 * Adds the channel that @path names by any of its names, or every channel with a name below the folder @path. Waits for
 * the daemon. Returns 0 or a negative errno: In a mount of a part alone, where there is no file, a
 * channel is asked by its attribute. -EOPNOTSUPP where the path is nothing of spfs, -EACCES where the caller
 * may not be told of the channel, and what stats_file_read() may fail with.
 */
int samples_add(struct samples *list, const char *path);

/*
 * The same for one channel alone, without the others' being looked at, and by the one name: the kernel lets only who
 * may read that read the attribute. There is no rate of it, and neither settings nor ports. -EISDIR: it is a folder.
 */
int samples_add_by_attribute(struct samples *list, const char *path);

/*
 * The name @key of @object becomes what it is where only @part of the mount is shown, struct place's; what is not in there
 * keeps its own. Returns 0 or -ENOMEM.
 */
int samples_rename(json_t *object, const char *key, const char *part);

/* Is told that @what could not be looked at, and why: a negative errno. */
typedef void (*samples_failed)(void *data, const char *what, int err);

/* One for commands that print and end: complains, and sets the bool that @failed is. */
void samples_complain(void *failed, const char *what, int err);

/*
 * Adds what each of the @count @paths names; with none, every channel of every mount of spfs that lets the caller in.
 * What fails is told of, and the others are added: a daemon that has no memory says the same as where there is none here.
 */
void samples_take(struct samples *list, char **paths, int count, samples_failed failed, void *data);

/* Where all mounts were asked for, and there is none that lets the caller in: complains, and sets the bool. */
void samples_complain_of_none(bool *failed, const struct samples *list, int count);

/* ---- the list (samples.c) ---- */

/* What @earlier has of the same channels is moved to @list as what was before. */
void samples_follow(struct samples *list, struct samples *earlier);

/* The sample of that channel, or NULL. */
struct sample *samples_find(const struct samples *list, const struct sample_key *key);

/*
 * Adds a sample of a channel that has none. @name: from the mount's root, perhaps without a slash in front, where the
 * daemon has cut its beginning; @stats: a reference of the list's own is taken. Returns 0 or -ENOMEM.
 */
int samples_insert(struct samples *list, struct sample_key key, const char *root, const char *name, double at,
		   json_t *stats);

/* The mount point, where it is one for all; else NULL. */
const char *samples_root(const struct samples *list);

void samples_free(struct samples *list);

/* ---- one of them ---- */

/* Bytes a second between the two samples of the number @key in @now and @before; -1: unknown. */
double sample_rate(const struct sample *s, const json_t *now, const json_t *before, const char *key);

/* Bytes that it, its taps, its sources and its sinks have lost, as far as it is known. */
double sample_lost(const struct sample *s);

/* How the tap @path is called beside its channel's @origin: without the folder they share. */
const char *sample_leaf(const char *origin, const char *path);

/* The earlier statistics of the tap @name, or NULL. */
const json_t *sample_tap_before(const struct sample *s, const char *name);

/* The earlier report of the port @id, or NULL. */
const json_t *sample_port_before(const struct sample *s, json_int_t id);
