# Ports that could wait for what their user controls hold up nobody: a last close, a lease, a terminal, a name server.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
export SLOW_NAMES=$T/slow
slow=${SLOW_LIBRARY:-$BUILD/tests/e2e/libslow-names.so}
! sanitized || slow= # a sanitizer must be loaded first
LD_PRELOAD=$slow spfs_mount -o workers=1
mkfifo "$M/own"
ln "$M/own" "$M/own.tap"

# The one worker moves a line of somebody else's.
alive() {
	timeout 20 cat "$M/own.tap" > "$T/got" &
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
wait_until 20 daemon_has close -ge 1
alive
kill $peer
wait $peer || true

# A file for appending, which whoever opens it anew would have to wait for.
python3 - "$M/c" "$T/leased" "$T/leases" << 'EOF' &
import fcntl, os, signal, subprocess, sys, time
channel, leased, ready = sys.argv[1:]
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open(leased, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
with subprocess.Popen(["spfs", "sink", channel, "--fd", str(fd)], pass_fds=[fd], stdout=subprocess.DEVNULL):
    open(ready, "w").close()
time.sleep(60)
EOF
holder=$!
wait_until 30 [ -e "$T/leases" ]
alive
timeout 20 sh -c "echo appended > '$M/c'"
wait_until 20 sh -c "[ \$(stat -c %s '$T/leased') = 9 ]" # to open it would break the lease
kill $holder
wait $holder || true
[ "$(cat "$T/leased")" = appended ] || fail "$(cat "$T/leased")"

# /dev/tty is the terminal of who has opened it.
timeout 30 python3 - "$M/c" << 'EOF' || fail "not at the terminal of who opened it"
import os, pty, subprocess, sys
pid, master = pty.fork()
if pid == 0:
    fd = os.open("/dev/tty", os.O_WRONLY | os.O_APPEND)
    subprocess.run(["spfs", "sink", sys.argv[1], "--fd", str(fd)], pass_fds=[fd], stdout=subprocess.DEVNULL, check=True)
    with open(sys.argv[1], "w") as f:
        f.write("to the terminal\n")
    sys.stdin.read()
seen = b""
while b"to the terminal" not in seen:
    seen += os.read(master, 100)
EOF

# Addresses that do not resolve, given up by who asked for them: their threads are counted until they end.
if is_root && [ -n "$slow" ]; then
	programs_for_all "$BUILD/cmd/spfs"
	mkfifo -m 666 "$M/shared" "$M/shared"{1..64}
	wait_until 30 daemon_has open -eq 0
	touch "$SLOW_NAMES"
	crowd() { # 64 at a time are allowed
		asked=()
		for i in $(seq 64); do
			as_user setfattr -n spfs.source -v tcp:no.example:1 "$M/shared$i" 2> /dev/null &
			asked+=($!)
		done
	}
	crowd
	wait_until 30 daemon_has open -ge 64
	kill "${asked[@]}"
	wait "${asked[@]}" || :
	crowd
	wait "${asked[@]}" || : # all are refused
	daemon_has open -le 64 || fail "$(daemon_threads open) threads of one user"
	refuse 'too many' as_user timeout 20 spfs source "$M/shared" tcp:no.example:1
	echo root > "$T/in"
	timeout 20 spfs source "$M/shared" "file:$T/in" > /dev/null
	[ "$(timeout 20 cat "$M/shared")" = root ] || fail "root's source"
	rm "$SLOW_NAMES"
	wait_until 20 daemon_has open -eq 0
fi

finish
