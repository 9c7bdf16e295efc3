/*
 * The end of a daemon one of whose workers stands (watchdog.h): it cannot be waited for, and nothing ends a thread that is
 * inside such a call, not even the process's end; so the process stays as a zombie, with all that it has open, until whoever
 * holds the lock lets go of it. What it has open would hold up others: so it is closed before, as far as that comes back.
 */
#pragma once

#define ABANDON_NSEC 1000000000u

/*
 * Closes all descriptors but for the three standard ones, for up to ABANDON_NSEC in all: one whose closing hangs is left to
 * a thread. For the very end: nothing may be used afterwards.
 */
void abandon_descriptors(void);
