/*
 * A series: the files that a sink makes one after the other where its path has the time in it (rotate=). The path is a format
 * of strftime(3), filled in with the local time at which a file is opened. A name that is there already is never taken again,
 * whoever made it: then it gets a number, NAME.1 and so on.
 *
 * Of what a series has made only the sink itself knows, by name, device and inode: nothing else is ever removed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "uri.h"

struct attempt;
struct stat;

/* One of them. Its name follows from the format, @when and @number. */
struct series_file {
	time_t when;
	unsigned number; /* 0: none behind the name */
	dev_t dev;
	ino_t ino;
};

/*
 * Reads @path of a URI as a format, in place: a '%' and a letter is a conversion that yields neither '/' nor control
 * characters, "%%" a percent sign, and %XX that begins with a digit a byte, as in other paths. Returns 0, or -EINVAL with the reason
 * in @why: there is none but those for a percent sign, for instance.
 */
int series_parse(char *path, char why[URI_WHY_MAX]);

/*
 * When the next one is due that is begun each @interval seconds: the first moment after @now that is a multiple of that since
 * 1970, in local time: so a day begins at midnight, however many hours the one before has.
 */
time_t series_next(uint64_t interval, time_t now);

/*
 * On an opening's thread: opens the next one with open_path(), with @flags, and makes attempt->uri.path its name and
 * attempt->opened.file what it is, but for device and inode. @goes_on: one of the name of this moment that is there is the one.
 * Returns a descriptor or a negative errno with the reason written; -EEXIST: too many have this name.
 */
int series_open(struct attempt *a, int flags, mode_t mode, bool goes_on, struct stat *st);

/* On an opening's thread, which has its rights: removes @file, where it is still what the name names. @format: the series'. */
void series_remove(const struct attempt *a, const char *format, const struct series_file *file);
