/* The daemon goes into the background, and who has started it is told. */
#pragma once

/*
 * Forks; the parent shows what the daemon says until the mount answers, then exits 0, or with the child's failure. So the
 * daemon does not wait for a terminal. Returns, in the child, the descriptor to tell the parent by, which does not block, or
 * a negative errno.
 */
int background_enter(void);
