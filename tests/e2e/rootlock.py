"""Many who set an attribute of the mount's root as soon as there is one: the kernel asks the daemon with the root locked.

usage: rootlock.py MOUNTPOINT: ends when all of them have been answered otherwise than to try again.
"""
import errno
import os
import sys
import time

children = []
for _ in range(30):
    pid = os.fork()
    if pid == 0:
        while (" " + sys.argv[1] + " ") not in open("/proc/self/mountinfo").read():
            time.sleep(0.01)
        while True:
            try:
                os.setxattr(sys.argv[1], "user.spfs.x", b"1")
            except OSError as e:
                if e.errno != errno.EAGAIN:
                    os._exit(0)
    children.append(pid)
print("ready", flush=True)
for pid in children:
    os.waitpid(pid, 0)
