"""departing.py MOUNT linger|held PAGE: leaves connections behind whose closing does not end, as many as it takes."""
import array
import ctypes
import mmap
import os
import resource
import select
import socket
import sys
import time

from control import Control

mount, how, page = sys.argv[1:]
SERVED = 64  # closings under way of one user
MORE = 1000

keep = []
resource.setrlimit(resource.RLIMIT_NOFILE, [resource.getrlimit(resource.RLIMIT_NOFILE)[1]] * 2)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)


def lingering():
    """Sockets whose last close takes ten minutes."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    server.bind(("127.0.0.1", 0))
    server.listen(16)
    while True:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        s.connect(server.getsockname())
        keep.append(server.accept()[0])
        s.setblocking(False)
        try:
            while True:
                s.send(b"x" * 4096)
        except BlockingIOError:
            pass
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, array.array("i", [1, 600]).tobytes())
        yield s.detach()


def held():
    """Files whose last close needs a lock that somebody holds: inside epoll_wait(2), into a page that never comes."""
    poll = select.epoll()
    fds = [os.eventfd(1) for _ in range(SERVED + MORE)]
    for fd in fds:
        poll.register(fd, select.EPOLLIN)
    child = os.fork()
    if child == 0:
        for fd in fds:
            os.close(fd)
        memory = mmap.mmap(os.open(page, os.O_RDWR), 4096, mmap.MAP_PRIVATE)
        here = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        ctypes.CDLL(None).epoll_wait(poll.fileno(), ctypes.c_void_p(here), 8, -1)
        os._exit(0)
    while open(f"/proc/{child}/stat").read().rsplit(")", 1)[1].split()[0] != "D":
        time.sleep(0.01)
    yield from fds


def leave(fd):
    """A connection that is busy with a request, or was refused, and in whose queue a descriptor lies."""
    try:
        c = Control(mount)
        c.sock.settimeout(20)
        c.ask({"op": "watch", "channel": "a"})
        c.send({}, [fd])
    except OSError:
        keep.append(fd) # to close it would hang here
    else:
        os.close(fd)


fds = {"linger": lingering, "held": held}[how]()
for _ in range(SERVED):
    leave(next(fds))
print("closing", flush=True)
for _ in range(MORE):
    leave(next(fds))
# And those who are refused because there are 64 already, with a descriptor if they are quick enough.
try:
    keep.append([Control(mount) for _ in range(64)])
    for fd in fds:
        c = Control(mount)
        try:
            c.send({}, [fd])
            os.close(fd)
        except OSError:
            pass
        if len(keep) > MORE + SERVED + 200:
            break
except OSError:
    pass
print("sent", flush=True)
time.sleep(600)
