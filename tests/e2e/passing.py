#!/usr/bin/python3
"""A program that is a port (spfs-port-passing) and passes what its daemon is not to close itself: sockets whose last close waits.

passing:WHAT[?done=FILE]  FILE is made when it has done so. WHAT:
  plain      with words, though it moves bytes already
  empty      behind an empty message
  fills      as plain, so often that the socket is full
  complaint  with what it complains of
  urgent     the same out of band
  handed     instead of its pipe, and it hears nothing from then on
  kept       instead of its pipe
  late       a pipe, instead of its own, once it listens
"""
import array
import os
import socket
import struct
import sys
import time

LONG = 90  # seconds

words = socket.socket(fileno=3)


def lingering(count):
    """Sockets with unsent bytes that linger in their close, as long as a process of a session of its own holds their peer."""
    peer = socket.create_server(("127.0.0.1", 0), backlog=count)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 4)
        time.sleep(LONG)
        os._exit(0)
    made = []
    for _ in range(count):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LONG))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        s.connect(peer.getsockname())
        s.setblocking(False)
        try:
            while True:
                s.send(b"x" * 65536)
        except BlockingIOError:
            made.append(s)
    return made


def hand(to, text, sockets, flags=0):
    fds = array.array("i", [s.fileno() for s in sockets])
    to.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)], flags)
    for s in sockets:
        s.close()


what = sys.argv[2]
if what in ("handed", "kept"):
    l = socket.create_server(("127.0.0.1", 0))
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LONG))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    s.connect(l.getsockname())
    hand(words, b"take", [s])
    if what == "handed":
        words.close()
    s.close()
    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 3)
        if what == "kept":
            words.close()
        time.sleep(LONG)
        os._exit(0)
    time.sleep(LONG)
if what == "late":
    words.send(b"listening")
    time.sleep(0.1)
    hand(words, b"take", [os.fdopen(os.pipe()[1], "wb")])
    time.sleep(LONG)
words.send(b"ready")
os.read(0, 1)
if what == "plain":
    hand(words, b"x", lingering(1))
elif what == "empty":
    sockets = lingering(1)
    words.send(b"")
    hand(words, b"x", sockets)
elif what in ("complaint", "urgent"):
    hand(socket.socket(fileno=2), b"x", lingering(1), socket.MSG_OOB if what == "urgent" else 0)
elif what == "fills":
    sockets = lingering(400)
    try:
        while sockets:
            hand(words, b"x", sockets[:40])
            del sockets[:40]
    except OSError:
        pass
open(sys.argv[3].split("=")[1], "w").close()
time.sleep(LONG)
