# A close that takes for ever holds up who waits for it, and nothing else: not the attribute for longer than it may, not
# a client that goes, not the end of the daemon.
. "$(dirname "$0")/harness.sh"
spfs_mount
HERE=$(cd "$(dirname "$0")" && pwd)
mkfifo "$M/a" "$M/b" "$M/c"

# lingering CHANNEL: $port is a sink whose close waits
lingering() {
	coproc linger { python3 "$HERE/linger.py" "$1"; }
	read -r port <&"${linger[0]}"
}
leaving() { [ "$(spfs ports --json "$1" | jq 'length')" = 0 ]; }

lingering "$M/a"
refuse 'Connection timed out' timeout 20 setfattr -n spfs.detach -v "$port" "$M/a"
leaving "$M/a" || fail "it is still a port"
eval "exec ${linger[1]}>&-"
wait

# Who waits can go.
lingering "$M/b"
spfs detach "$M/b" "$port" & detach=$!
wait_until 10 leaving "$M/b"
kill -0 $detach || fail "answered before it is closed"
kill $detach
eval "exec ${linger[1]}>&-"
wait || true

lingering "$M/c"
spfs detach "$M/c" "$port" 2> /dev/null & detach=$!
wait_until 10 leaving "$M/c"
kill -TERM "$DAEMON"
wait_until 3 gone "$DAEMON"
DAEMON=
eval "exec ${linger[1]}>&-"
wait || true
finish
