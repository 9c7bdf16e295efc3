# A close that takes for ever holds up who waits for it, and nothing else: not the attribute for longer than it may, not
# a client that goes, not the end of the daemon.
. "$(dirname "$0")/harness.sh"
spfsd -f -o log="$LOG" "$M" 2> "$T/error" & DAEMON=$!
wait_until 60 test -S "$M/.spfs/control"
mkfifo "$M/a" "$M/b" "$M/c"

# lingering CHANNEL: $port is a sink whose close waits, until the test ends
lingering() {
	mkfifo "$T/peer$1"
	python3 "$HERE/linger.py" "$M/$1" < "$T/peer$1" > "$T/port$1" &
	# shellcheck disable=SC2034 # it is open until the test ends
	exec {peer}> "$T/peer$1"
	wait_until 30 test -s "$T/port$1"
	port=$(cat "$T/port$1")
}
leaving() { [ "$(spfs ports --json "$M/$1" | jq 'length')" = 0 ]; }

lingering a
refuse 'Connection timed out' timeout 60 setfattr -n spfs.detach -v "$port" "$M/a"
leaving a || fail "it is still a port"

# Who waits can go.
lingering b
spfs detach "$M/b" "$port" & detach=$!
wait_until 30 leaving b
kill -0 $detach || fail "answered before it is closed"
kill $detach

lingering c
spfs detach "$M/c" "$port" 2> /dev/null & detach=$!
wait_until 30 leaving c
kill -TERM "$DAEMON"
wait_until 30 gone "$DAEMON"
DAEMON=

# In the foreground its last words are on standard error as well.
said='wait for what users have to end'
log_has "$said"
grep -q "$said" "$T/error" || fail "standard error has: $(cat "$T/error")"
finish
