"""Writers of more than a ring holds to files that they create: writes.py FOLDER COUNT.

Says "WAIT REFUSED", how many of them wait and how many were refused for a quota, once that is known of each. Goes with its
standard input; 1 where one was told something else.
"""
import errno
import fcntl
import os
import struct
import sys
import termios
import threading
import time

folder, count = sys.argv[1], int(sys.argv[2])
os.chdir(folder)
data = b"z" * (1 << 20)
told = {}


def write(i):
    fd = os.open("w%d" % i, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, data)
        told[i] = 0
    except OSError as e:
        told[i] = e.errno


def waits(i):
    """The channel is full of what it writes."""
    try:
        fd = os.open("w%d" % i, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    waiting = struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"four"))[0]
    os.close(fd)
    return waiting >= 65536


for i in range(count):
    threading.Thread(target=write, args=(i,), daemon=True).start()
for i in range(count):
    while i not in told and not waits(i):
        time.sleep(0.01)
print(sum(i not in told for i in range(count)), len(told), flush=True)
sys.stdin.read()
os._exit(set(told.values()) - {errno.EDQUOT} != set())
