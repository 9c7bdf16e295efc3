/* Samples: the channels of mounts, each with its statistics at one moment or two. */
#pragma once

#include <jansson.h>
#include <stddef.h>
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
	char *path;     /* a name of the channel, absolute */
	int err;        /* why there are no statistics; 0: there are */
	json_t *stats;  /* spfs.stats */
	double at;      /* when, in seconds */
	json_t *before; /* an earlier spfs.stats, or NULL */
	double since;   /* when that was */
	json_t *ports;  /* spfs.ports, or NULL */
	json_t *ports_before;
};

struct samples {
	struct sample **all;
	struct sample *by_key;
	size_t count;
	size_t room;
};

/*
 * Adds the channel that @path names, found through any of its names that the caller may read. Returns 0
 * or a positive errno, EOPNOTSUPP where it is none.
 */
int samples_add(struct samples *list, const char *path);

/* Adds every channel below @dir, sorted by name. Returns 0 or a positive errno, EOPNOTSUPP outside of spfs. */
int samples_add_tree(struct samples *list, const char *dir);

/* Adds every channel of every mount of spfs. Returns 0 or a positive errno. */
int samples_add_mounts(struct samples *list);

/* Takes every sample once more, after @seconds. */
void samples_again(struct samples *list, double seconds);

/* Takes the ports of every sample that has statistics. */
void samples_add_ports(struct samples *list);

/* What @earlier has of the same channels is moved to @list as what was before. */
void samples_follow(struct samples *list, struct samples *earlier);

/* The mount point, where it is one for all; else NULL. */
const char *samples_root(const struct samples *list);

void samples_free(struct samples *list);

/* Bytes a second between the two samples of the number @key in @now and @before; -1: unknown. */
double sample_rate(const struct sample *s, const json_t *now, const json_t *before, const char *key);

/* The earlier statistics of the tap @name, or NULL. */
const json_t *sample_tap_before(const struct sample *s, const char *name);

/* The earlier report of the port @id, or NULL. */
const json_t *sample_port_before(const struct sample *s, json_int_t id);
