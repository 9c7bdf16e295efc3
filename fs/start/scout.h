/*
 * The scout: a child that opens what the daemon needs of its own mount, the folder of numbers and the control socket.
 *
 * It is looked for through the root of the mount, whose lock somebody may hold while the daemon owes them an answer
 * (gate.h); and nothing interrupts who waits for such a lock. A thread of the daemon that did so would outlive a
 * kill -9, have /dev/fuse open with it, and so keep the answer from ever coming. The child has nothing open but the
 * root: when the daemon dies the kernel ends the connection, and both.
 */
#pragma once

#include <sys/types.h>

struct control_sockets;

struct scout {
	pid_t pid;  /* 0: there is none */
	int answer; /* a socket */
};

#define SCOUT_NONE ((struct scout){ .answer = -1 })

/* Sends it out, into @tree, the root of the mount. No thread may have been started. Returns 0 or a negative errno. */
int scout_start(struct scout *s, int tree);

/*
 * Waits until it is back, once: for as long as somebody has the root locked, so not on the FUSE thread. *dir is the
 * folder, O_PATH, *dev the mount's device, and *control the listening sockets or why there are none. Returns 0 or a negative errno.
 */
int scout_wait(struct scout *s, int *dir, dev_t *dev, struct control_sockets *control);

void scout_finish(struct scout *s);
