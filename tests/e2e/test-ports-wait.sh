# Ports that could wait for what their user controls hold up nobody: a last close, a lease, a terminal, a name server.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount -o workers=1
mkfifo "$M/own"
ln "$M/own" "$M/own.tap"

# The one worker moves a line of somebody else's.
alive() {
	timeout 5 cat "$M/own.tap" > "$T/got" &
	echo alive > "$M/own"
	wait $! || fail "the worker is stuck"
	[ "$(cat "$T/got")" = alive ]
}
alive

# A socket whose last close waits for its peer, as whoever has a copy can say at any time.
mkfifo "$M/c"
python3 - "$M/c" "$T/ready" << 'EOF' &
import socket, struct, subprocess, sys, time
channel, ready = sys.argv[1:]
listener = socket.create_server(("127.0.0.1", 0))
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
ours = socket.create_connection(listener.getsockname())
ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 200000)  # it takes all of the stream
peer, _ = listener.accept()
subprocess.run(["spfs", "sink", channel, "--fd", "0"], stdin=ours, stdout=subprocess.DEVNULL, check=True)
with open(channel, "wb", buffering=0) as f:
    f.write(bytes(100000))
while b'"done"' not in subprocess.run(["spfs", "ports", "--json", channel], stdout=subprocess.PIPE, check=True).stdout:
    pass
ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 40))
ours.close()
peer.shutdown(socket.SHUT_WR)  # now the daemon closes its copy, and the peer takes nothing
open(ready, "w").close()
time.sleep(60)
EOF
peer=$!
wait_until 30 [ -e "$T/ready" ]
sleep 0.3 # for the worker to do so: that is nobody's news
alive
kill $peer
wait $peer || true

finish
