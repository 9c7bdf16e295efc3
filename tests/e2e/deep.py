#!/usr/bin/python3
"""Folders as deep as one may, and deeper by moving them: deep.py FOLDER DEPTH. Leaves the bottom in FOLDER's "bottom"."""
import errno
import os
import sys

PATH_MAX = 4096
top = os.open(sys.argv[1], os.O_RDONLY)
at_top = len("/" + os.path.basename(sys.argv[1]))


def refused(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except OSError as e:
        return errno.errorcode[e.errno]
    return "none"


def chain(name, part):
    """As many folders, one in the other, as a path has room for. Returns the last, and the length of its path."""
    os.mkdir(name, dir_fd=top)
    at = os.open(name, os.O_RDONLY, dir_fd=top)
    length = at_top + 1 + len(name)
    while True:
        why = refused(os.mkdir, part, dir_fd=at)
        if why != "none":
            break
        length += 1 + len(part)
        below = os.open(part, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
        assert length < 20 * PATH_MAX, "without end"
    assert why == "ENAMETOOLONG", why
    assert PATH_MAX - 1 - len(part) <= length + 0 <= PATH_MAX - 1, length
    return at, length


at, length = chain("long", "n" * 255)
name = "x" * (PATH_MAX - length - 1)  # one too many
os.mkfifo("c", dir_fd=top)
if len(name) <= 255:
    for call in (os.mkdir, os.mkfifo):
        assert refused(call, name, dir_fd=at) == "ENAMETOOLONG"
        if len(name) > 1:
            assert refused(call, name[1:], dir_fd=at) == "none"
            (os.rmdir if call == os.mkdir else os.unlink)(name[1:], dir_fd=at)
    assert refused(os.open, name, os.O_WRONLY | os.O_CREAT, dir_fd=at) == "ENAMETOOLONG"
    assert refused(os.link, "c", name, src_dir_fd=top, dst_dir_fd=at) == "ENAMETOOLONG"
    assert refused(os.rename, "c", name, src_dir_fd=top, dst_dir_fd=at) == "ENAMETOOLONG"
    assert not os.listdir(at)
os.close(at)

# What is moved takes what is in it along.
bottom, length = chain("deep0", "d")
deep, i = length // 2, 0
while deep < int(sys.argv[2]):
    i += 1
    os.mkdir("deep%d" % i, dir_fd=top)
    at = os.open("deep%d" % i, os.O_RDONLY, dir_fd=top)
    for _ in range(1900):
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.rename("deep%d" % (i - 1), "d", src_dir_fd=top, dst_dir_fd=at)
    os.close(at)
    deep += 1900
assert refused(os.mkfifo, "x", dir_fd=bottom) == "ENAMETOOLONG"
print(deep)
