/*
 * The kernel tells of a number, which may be another process's by the time it is looked up: only if the one that has
 * connected is there afterwards was it that one which was looked at.
 */
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"
#include "gids.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5, asm-generic/socket.h */
#endif

/* Returns how many bytes they are, which the kernel tells without going through them, or a negative errno. */
static ssize_t peer_groups_size(int socket)
{
	socklen_t len = 0;

	if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0)
		return 0;
	return errno == ERANGE ? (ssize_t)len : -errno;
}

ssize_t peer_count_groups(int socket)
{
	ssize_t size = peer_groups_size(socket);

	return size < 0 ? size : size / (ssize_t)sizeof(gid_t);
}

int peer_groups(int socket, struct rights *r)
{
	ssize_t size = peer_groups_size(socket);
	socklen_t len = (socklen_t)size;

	if (size <= 0)
		return (int)size;
	r->groups = malloc(len);
	if (!r->groups || getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, r->groups, &len) < 0)
		return r->groups ? -errno : -ENOMEM;
	r->count = len / sizeof(gid_t);
	gids_sort(r->groups, r->count);
	return 0;
}

/* Returns a pidfd, or rights_unseen()'s error. */
static int peer_pidfd(int socket, pid_t pid)
{
	socklen_t len = sizeof(int);
	int pidfd;

	if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0)
		return pidfd;
	pidfd = errno == ENOPROTOOPT && pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1; /* before Linux 6.5 */
	return pidfd < 0 ? rights_unseen(errno) : pidfd;
}

/* Returns 0, also where the process has gone, or -EMFILE, -ENFILE or -ENOMEM. */
static int peer_look(int socket, struct rights *r, int *process)
{
	_cleanup_fd_ int pidfd = peer_pidfd(socket, r->pid);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	*process = pidfd < 0 ? pidfd : rights_open_process(r->pid);
	if (*process < 0 && *process != -ESRCH)
		return *process;
	rights_see_capabilities(r, *process);
	if (*process >= 0 && poll(&p, 1, 0) == 0)
		return 0;
	fd_close(process);
	*process = -ESRCH;
	r->caps = 0;
	return 0;
}

int peer_rights(int socket, struct rights *r, int *process)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	*process = -ESRCH;
	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	*r = (struct rights){ .uid = cred.uid, .gid = cred.gid, .pid = cred.pid };
	return peer_look(socket, r, process);
}
