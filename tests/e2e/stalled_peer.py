"""A peer of TCP or of the file system that stops reading: stalled_peer.py listen|connect HOST PORT, or listen PATH.

It reads a little of one connection, and no more until the standard input ends. Then it prints the bytes that its kernel has
got, and resets the connection by closing it.
"""
import array
import fcntl
import select
import socket
import sys
import termios

how, *where = sys.argv[1:]
address = (where[0], int(where[1])) if len(where) == 2 else where[0]
sock = socket.socket(socket.AF_INET if len(where) == 2 else socket.AF_UNIX)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
if how == "listen":
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    sock.listen(1)
    print("listening", flush=True)
    listener = sock
    sock = listener.accept()[0]
    listener.close()
else:
    sock.connect(address)
    print("connected", flush=True)
got = len(sock.recv(10000, socket.MSG_WAITALL))
select.select([0], [], [])
there = array.array("i", [0])
fcntl.ioctl(sock, termios.FIONREAD, there)
sock.close()
print(got + there[0], flush=True)
