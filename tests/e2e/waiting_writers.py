#!/usr/bin/python3
"""A writer's open(2) waits while nobody reads, whatever has just been there: waiting_writers.py FOLDER ROUNDS."""
import os
import select
import signal
import sys

os.chdir(sys.argv[1])


def alarm(*_):
    raise TimeoutError


signal.signal(signal.SIGALRM, alarm)


def waits():
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    try:
        fd = os.open("z", os.O_WRONLY)
    except TimeoutError:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    os.close(fd)
    return False


def created():
    os.close(os.open("z", os.O_WRONLY | os.O_CREAT, 0o600))


def written():
    fd = os.open("z", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(fd, b"x")
    os.close(fd)


def polled():
    fd = os.open("z", os.O_RDWR | os.O_CREAT, 0o600)
    p = select.poll()
    p.register(fd, select.POLLIN)
    p.poll(0)
    os.close(fd)


def untapped():
    os.mkfifo("z")
    os.link("z", "y")
    os.unlink("y")


def read_out():
    written()
    fd = os.open("z", os.O_RDONLY)
    assert os.read(fd, 9) == b"x" and os.read(fd, 9) == b""
    os.close(fd)


status = 0
for way in created, written, polled, untapped, read_out:
    through = 0
    for _ in range(int(sys.argv[2])):
        way()
        through += not waits()
        os.unlink("z")
    if through:
        print("%s: %d came through of %s" % (way.__name__, through, sys.argv[2]))
        status = 1
sys.exit(status)
