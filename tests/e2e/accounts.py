#!/usr/bin/python3
"""As a user, makes as much as one may of one kind, and holds it: accounts.py FOLDER KIND USER.

Says "COUNT ERROR" once it is refused, and goes with its standard input.
"""
import errno
import os
import resource
import sys

folder, kind, user = sys.argv[1], sys.argv[2], int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
os.chdir(folder)

kept = []


def handle(i):
    kept.append(os.open("h%d" % i, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def unlinked(i):
    handle(i)
    os.unlink("h%d" % i)


def kept_bytes(i):
    fd = os.open("k%d" % i, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(fd, b"x")
    os.close(fd)


def channel(i):
    os.mkfifo("c%d" % i)


def folder_(i):
    os.mkdir("d%d" % i)


def tap(i):
    if i == 0:
        os.mkfifo("t")
    os.link("t", "t%d" % i)


def path(i):
    os.mkfifo("p")
    kept.append(os.open("p", os.O_PATH))
    os.unlink("p")


make = {"handle": handle, "unlinked": unlinked, "kept": kept_bytes, "channel": channel, "folder": folder_, "tap": tap,
        "path": path}[kind]
count = 0
error = "none"
try:
    while count < 100000:
        make(count)
        count += 1
except OSError as e:
    error = errno.errorcode[e.errno]
print(count, error, flush=True)
sys.stdin.read()
