"""A syslog at /dev/log that takes lines only when it is told to, by a line of its standard input, answered with one:

fill         another user sends until there is no more room
take TEXT    takes lines, and appends them to the file FILE, until one has TEXT
"""
import os
import select
import socket
import sys

taken = sys.argv[1]
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
os.chmod("/dev/log", 0o666)


def fill():
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        user = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        user.connect("/dev/log")
        user.setblocking(False)
        try:
            while True:
                user.send(b"<13>filled")
        except BlockingIOError:
            os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def take(text):
    with open(taken, "ab") as file:
        while select.select([log], [], [], 60)[0]:
            line = log.recv(65536).rstrip(b"\0\n")
            if line == b"<13>filled":
                continue
            file.write(line + b"\n")
            if text in line:
                return True
    return False


print("listening", flush=True)
for order in sys.stdin.buffer:
    word, _, text = order.rstrip(b"\n").partition(b" ")
    print("done" if (take(text) if word == b"take" else fill()) else "failed", flush=True)
