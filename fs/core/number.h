/* The numbers of FIFOs: names in the folder /.spfs/fifos, through which the daemon opens them (fifo.h). */
#pragma once

#include "context.h"

/*
 * A FIFO that a worker has opened by its number is cached in the kernel under that name, and known there until
 * memory is short. On a worker: the kernel locks the folder, so the FUSE thread, which answers look-ups in it, may
 * not wait for this. Nobody else holds that lock for long: who looks up or lists a folder needs a right to it, which only
 * the daemon's own user has (0700), and the daemon's look-ups are answered by the FUSE thread alone.
 */
void number_forget(struct context *ctx, uint64_t id);
