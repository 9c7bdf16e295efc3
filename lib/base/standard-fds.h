/* Standard input, output and error: the descriptors 0 to 2, which a program may be started without. */
#pragma once

/*
 * Puts /dev/null where one of them is closed, so that nothing else that is opened gets its number, and is read, written or
 * replaced in its place. It is O_PATH: whoever uses it, children as well, gets EBADF as from one that is closed. The first
 * thing that a program does. Returns 0 or a negative errno of open(2).
 */
int standard_fds_hold(void);
