#pragma once

struct run;

/*
 * run->in and run->out[] of a transfer by TCP: a free port as "tcp:127.0.0.1:PORT", which the receiver listens on,
 * and files in run->received. The file that is sent is there already. Returns 0 or a negative errno.
 */
int tcp_ends_make(struct run *run);
/* Removes the files that were received. */
void tcp_ends_remove(struct run *run);
/* PORT of such a name. */
const char *tcp_port(const char *name);
