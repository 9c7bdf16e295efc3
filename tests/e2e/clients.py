"""Clients of a listening sink: clients.py HOST PORT COUNT SUM

Connects COUNT clients, and one more that reads nothing before standard input has ended. Prints "connected"; each reads to the end of the stream and
must have SUM (a SHA-256). Prints what became of the one that stalled: "thrown out" or "bytes N"."""
import hashlib
import selectors
import socket
import sys

host, port, count, want = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


def connect():
    s = socket.create_connection((host, port))
    s.setblocking(False)
    return s


stalled = connect()
sel = selectors.DefaultSelector()
for _ in range(count):
    sel.register(connect(), selectors.EVENT_READ, hashlib.sha256())
print("connected", flush=True)
while sel.get_map():
    events = sel.select(60)
    assert events, "no more data"
    for key, _ in events:
        data = key.fileobj.recv(1 << 20)
        if data:
            key.data.update(data)
            continue
        assert key.data.hexdigest() == want, "a client has something else"
        sel.unregister(key.fileobj)
        key.fileobj.close()
print("all have it", flush=True)
sys.stdin.read()
stalled.settimeout(60)
got = 0
try:
    while data := stalled.recv(1 << 20):
        got += len(data)
    print("bytes", got, flush=True)
except ConnectionResetError:
    print("thrown out", flush=True)
