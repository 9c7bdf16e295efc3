/* What is kept in order: sys/tree.h of libbsd, which does not define the __unused that its macros use. */
#pragma once

#include <bsd/sys/tree.h>

/* For RB_GENERATE_INTERNAL(), in the one file that uses the tree. */
#define TREE_STATIC static __attribute__((unused))
