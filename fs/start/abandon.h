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

/*
 * At the end, with all that is the daemon's own gone: logs how many threads are left that wait in the kernel for what users
 * control, the closing of a descriptor or a file's answer. Waits for those that are on their way out, up to
 * ABANDON_OTHERS_NSEC.
 */
void abandon_tell_threads(void);

#define ABANDON_OTHERS_NSEC 200000000u
