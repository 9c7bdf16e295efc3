/*
 * What is kept: bytes that inlets have left in the origin when the last of them went. An outlet on the origin
 * itself holds them until they are read, for a FIFO that nobody has open forgets what is in it; the reader then sees
 * the end of the stream. All on the channel's worker.
 */
#pragma once

struct channel;

/* Keeps what waits in the origin. No-op with a tap or an inlet, which do; where it fails, the log says so. */
void keep_begin(struct channel *ch);

/* Keeps it no more: it was read, or somebody else does. */
void keep_end(struct channel *ch);

/* Looks whether what is kept was read. */
void keep_look(struct channel *ch);
