/* TCP on the loopback for the programs that the driver starts: "tcp:127.0.0.1:PORT", as in a URI of spfs. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>

#include "stream.h"

#define SOCKET_SCHEME "tcp:"

static inline bool socket_named(const char *path)
{
	return strncmp(path, SOCKET_SCHEME, strlen(SOCKET_SCHEME)) == 0;
}

static inline struct sockaddr_in socket_address(const char *path)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)atoi(strrchr(path, ':') + 1)),
	};
}

/* Exits where it cannot. */
static inline int socket_listen(const char *path)
{
	struct sockaddr_in addr = socket_address(path);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) < 0 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		stream_die(path);
	return fd;
}

/* Takes the one connection. */
static inline int socket_accept(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		stream_die("accept");
	close(listener);
	return fd;
}

/* Tries until somebody listens there; exits after 5 seconds. */
static inline int socket_connect(const char *path)
{
	struct sockaddr_in addr = socket_address(path);

	for (int i = 0; i < 5000; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			break;
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			return fd;
		close(fd);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	stream_die(path);
}
