/* What is behind a descriptor that somebody else has opened. */
#include "port-ops.h"

#include <sys/socket.h>

bool port_look_stream(int fd, bool listens)
{
	int type = 0, accepts = 0;
	socklen_t len = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len);
	return type == SOCK_STREAM && !accepts == !listens;
}
