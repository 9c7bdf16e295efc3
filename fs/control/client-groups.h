/*
 * The supplementary groups of a client, of which it may have 65536: copying those takes 1 ms. The kernel tells how many they are
 * first; a few are read on the spot, and many by an errand (errand.h), before anything that the client asks for is taken
 * from its socket. Of one user's clients one is read at a time. The others of that user wait for their turn, and nobody else's for
 * them: that they are bounded, clients.h sees to.
 *
 * On the FUSE thread.
 */
#pragma once

struct client;

/* That is a matter of microseconds. */
#define CLIENT_GROUPS_FEW 256

enum client_groups {
	CLIENT_GROUPS_KNOWN,
	CLIENT_GROUPS_WAIT, /* for their turn */
	CLIENT_GROUPS_READ, /* by an errand, which has the client's socket in use: the client stays */
};

/*
 * Has them read into the rights of @cl, which is on its list. control_client_known() follows, perhaps at once; while they wait, @cl
 * may be freed as well. It is told -EUSERS where so much hangs of what the user has asked for that they cannot be read.
 */
void client_groups_read(struct client *cl);
