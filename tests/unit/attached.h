/* What the tests of ports stand on: ports attached to a channel of the fixture, and looks at them. */
#pragma once

#include "fixture.h"
#include "port.h"

/* A port as it was at one moment. */
struct look {
	bool there;
	enum port_state state;
	int err;
	uint64_t bytes, lost, clients, connected, disconnected;
	uint64_t pages_ref, copies;
	char how[PORT_HOW_MAX];
};

/*
 * Attaches @fd, by @uri or, where it is NULL, as a descriptor that was passed. Node 1 is the origin. Returns the
 * port's number, and @fd is the port's; or a negative errno, and @fd is closed.
 */
int attach(struct fixture *f, struct channel *ch, enum port_dir dir, uint64_t node, int fd, const char *uri);

/* The same for another user than who runs the test. */
int attach_as(uid_t uid, struct fixture *f, struct channel *ch, enum port_dir dir, uint64_t node, int fd,
	      const char *uri);

/* Returns 0, once nothing of it is open any more, or -ENOENT. */
int detach(struct fixture *f, struct channel *ch, int id);

struct look look_at(struct fixture *f, struct channel *ch, int id);

/* Until the port has come to @state, or fails the test after 20 s. Returns the last look. */
struct look wait_state(struct fixture *f, struct channel *ch, int id, enum port_state state);

/* Until a condition holds, or fails the test after 20 s. */
#define WAIT_UNTIL(condition) \
	do { \
		int tries_left = 4000; \
		while (!(condition) && tries_left--) \
			poll(NULL, 0, 5); \
		cr_assert_geq(tries_left, 0, "in vain: %s", #condition); \
	} while (0)

/* Bytes that tell where they belong. */
char *pattern(size_t len);

/* Opens (and makes) a file of the fixture's folder. */
int open_file(struct fixture *f, const char *name, int flags);

/* The same, with @len bytes of @data in it, at its beginning. */
int file_of(struct fixture *f, const char *name, const char *data, size_t len);

/* The file has these bytes and no others. */
void expect_file(struct fixture *f, const char *name, const char *data, size_t len);

/* Attaches a sink on a new file; a source on a file of @len bytes of @data, opened as @uri says. Both succeed. */
int sink_to(struct fixture *f, struct channel *ch, uint64_t node, const char *name);
int source_file(struct fixture *f, struct channel *ch, const char *data, const char *name, size_t len, const char *uri);

/* Node @id gives these bytes, and then the end of the stream. */
void expect_node(struct fixture *f, uint64_t id, const char *data, size_t len);

/* Writes all of it to node @id as a user does, from a thread of its own; @writer is to be joined. */
struct writer {
	struct fixture *f;
	uint64_t id;
	const char *data;
	size_t len;
	pthread_t thread;
};
void write_begin(struct writer *w);
void write_end(struct writer *w);

/* A pair of connected TCP sockets of 127.0.0.1. */
void tcp_pair(int fds[2]);

/* A TCP socket that listens on 127.0.0.1, at *port. */
int tcp_listen(int *port);
int tcp_connect(int port);

/* The peer @fd gives these bytes, and then the end. */
void expect_peer(int fd, const char *data, size_t len);

/* A port that listens on 127.0.0.1, at *port, with @options ("?..."). */
int attach_listener(struct fixture *f, struct channel *ch, enum port_dir dir, uint64_t node, const char *options,
		    int *port);
void wait_clients(struct fixture *f, struct channel *ch, int id, unsigned n);
