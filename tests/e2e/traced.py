#!/usr/bin/python3
"""A program that is a port (spfs-port-traced) and dies while one that it has started traces it, and takes no note of that.

traced:ANYTHING[?ready=1]  the one that traces it stays; ready: it is so before it dies
"""
import ctypes
import os
import socket
import sys
import time

SEIZE = 0x4206
SET_PTRACER = 0x59616D61
ANY = ctypes.c_ulong(-1 & 0xFFFFFFFFFFFFFFFF)

words = socket.socket(fileno=3)
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(SET_PTRACER, ANY, 0, 0, 0)
me = os.getpid()
reads, writes = os.pipe()
if os.fork() == 0:
    os.setsid()
    words.close()
    os.closerange(0, 3)
    os.write(writes, b"%d" % libc.ptrace(SEIZE, me, 0, 0))
    os.close(writes)
    time.sleep(90)
    os._exit(0)
if os.read(reads, 10) != b"0":
    words.send(b"error it cannot be traced here")
if len(sys.argv) > 3:
    words.send(b"ready")
    os.read(0, 1)
os._exit(7)
