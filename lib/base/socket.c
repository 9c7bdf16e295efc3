#include "socket.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

bool socket_is_local(int fd)
{
	int domain = AF_UNSPEC;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

static bool socket_is_tcp(int fd)
{
	int protocol = 0;
	socklen_t len = sizeof(protocol);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == IPPROTO_TCP;
}

/* A reset throws away what was to be sent, and leaves both numbers that SIOCOUTQ is the difference of (tcp_reset()). */
uint64_t socket_unacknowledged(int fd)
{
	struct pollfd p = { .fd = fd };
	int bytes = 0;

	if (!socket_is_tcp(fd) || poll(&p, 1, 0) <= 0 ||
	    !(p.revents & POLLHUP)) /* else the kernel may deliver it yet */
		return 0;
	return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}
