"""A sink on a TCP socket whose last close waits for a peer that takes nothing (SO_LINGER), as whoever passes one can arrange.

usage: linger.py CHANNEL: attaches it, fills it, and prints its port's number; the peer stays until standard input ends.
"""
import fcntl
import socket
import struct
import subprocess
import sys

channel = sys.argv[1]
listener = socket.create_server(("127.0.0.1", 0))
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
ours = socket.create_connection(listener.getsockname())
peer, _ = listener.accept()
port = subprocess.run(["spfs", "sink", channel, "--fd", "0"], stdin=ours, stdout=subprocess.PIPE, check=True, text=True)
with subprocess.Popen(["dd", "if=/dev/zero", "of=" + channel, "bs=64K", "count=64", "status=none"]) as writer:
    # Until the kernel holds something that the peer does not take: the rest stays in the channel.
    while True:
        unsent = struct.unpack("i", fcntl.ioctl(ours, 0x5411, b"\0\0\0\0"))[0]  # SIOCOUTQ
        if unsent > 0:
            break
    # After the daemon has set its own: what the last close does is the socket's, not the descriptor's.
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    ours.close()
    print(port.stdout.strip(), flush=True)
    sys.stdin.read()
    writer.kill()
