/* What the files of operations share: nobody else sees it. */
#pragma once

#include <sys/queue.h>

#include "operations.h"

struct dir_listing;
struct handle;

struct operations {
	struct operation_hooks hooks;
	LIST_HEAD(, handle) handles;
	LIST_HEAD(, dir_listing) listings;
};
