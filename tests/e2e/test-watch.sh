#!/bin/bash
# spfs watch: every event for a real cause; who does not read loses events and is told; who goes leaves nothing.
. "$(dirname "$0")/harness.sh"

# told FILTER: jq over every line so far
told() { jq -es "any(.[]; $1)" "$T/events" > /dev/null; }
last_is() { tail -n 1 "$T/events" | jq -e "$1" > /dev/null; }
# Answered, it polls for events; until then it receives.
heard() { grep -q poll "/proc/$1/wchan"; }
streams() { [ "$(times '.event == "open" and .side == "writer"')" = "$1" ]; }
times() { jq -s "map(select($1)) | length" "$T/events"; }

spfs_mount
mkfifo "$M/cam"
ln "$M/cam" "$M/r1"
fds=$(daemon_fds)

refuse "not a splice channel" spfs watch "$T"
refuse "No such file" spfs watch "$M/none"
refuse "folder" spfs watch "$M"
refuse "at least 1" spfs watch -n 0 "$M/cam"
[ "$(spfs watch --timeout 3 "$M/cam" | jq -r .event)" = state ] || fail "events without a cause"

spfs watch "$M/cam" > "$T/events" &
watcher=$!
wait_until 30 heard $watcher

# a writer: the stream begins
exec 7> "$M/cam"
wait_until 30 told '.event == "open" and .side == "writer" and .name == "/cam"'

# nobody reads: the tap is full, and has room once somebody does
head -c 8M /dev/zero > "$M/cam" &
filler=$!
wait_until 30 told '.event == "full" and .name == "/r1"'
! told '.side == "reader"' || fail "a reader that is none"
cat "$M/r1" > /dev/null &
reader=$!
wait_until 30 told '.event == "open" and .side == "reader" and .name == "/r1"'
wait_until 30 told '.event == "room" and .name == "/r1"'
wait "$filler"

# the reader goes, in mid-stream
kill "$reader"
wait_until 30 told '.event == "close" and .side == "reader" and .name == "/r1"'
exec 7>&-
wait_until 30 told '.event == "close" and .side == "writer"'
streams 1 || fail "more than one stream"

# drops, summed up: one line in 100 ms at most, and not a byte that is in none
ln "$M/cam" "$M/r2"
spfs set "$M/r2" policy=drop-new
exec 7> "$M/cam"
wait_until 30 streams 2 # the last one's end would be the reader's
cat "$M/r1" > /dev/null 7>&- &
other=$!
head -c 16M /dev/zero >&7
exec 7>&-
wait "$other"
wait_until 30 told '.event == "drop" and .name == "/r2" and .bytes > 0 and .events > 0'

# ports
echo hello > "$T/in"
spfs sink "$M/r1" "file:$T/sunk" > /dev/null
wait_until 30 told '.event == "port" and .state == "running" and (.uri | startswith("file:"))'
spfs source "$M/cam" "file:$T/in" > /dev/null
wait_until 30 told '.event == "port" and .id == 2 and .state == "done"'
wait_until 30 told '.event == "port" and .id == 1 and .state == "done"'
spfs detach "$M/cam" 1
wait_until 30 told '.event == "port" and .id == 1 and .state == "detached"'

# what it says is dated
told '.time | test("^20[0-9-]+T[0-9:]+[.][0-9]{3}Z$")' || fail "no time"

# so many and no more
spfs watch -n 1 "$M/cam" > "$T/one" &
one=$!
until gone "$one"; do echo > "$M/cam"; sleep 0.02; done
wait "$one"
[ "$(grep -vc '"event":"state"' "$T/one")" = 1 ] || fail "not one event: $(cat "$T/one")"

# who may neither read nor write is told nothing
if is_root; then
	programs_for_all "$BUILD/cmd/spfs"
	chmod 600 "$M/cam" "$M/r1"
	refuse "no right" as_user spfs watch "$M/r1"
	chmod 666 "$M/cam" "$M/r1"
fi

# who does not read loses events, and is told so; the daemon goes on
python3 "$HERE/watch.py" "$M" || fail "a watcher that does not read"

# a watcher that is killed leaves nothing
spfs watch "$M/cam" > /dev/null &
killed=$!
wait_until 30 heard $killed
kill -9 "$killed"

# the end of the channel is the end of the watch
rm "$M/cam" "$M/r1" "$M/r2"
wait "$watcher" || fail "the watch ends with $?"
told '.event == "gone"' || fail "gone was not told"
mkfifo "$M/cam"
ln "$M/cam" "$M/r1"
wait_until 30 daemon_fds_at_most $fds

# a channel without taps, whose bytes the daemon does not see: who opens it, and which side closes it
mkfifo "$M/plain"
: > "$T/events"
spfs watch "$M/plain" >> "$T/events" &
plain=$!
wait_until 30 heard $plain
exec 7<> "$M/plain"
wait_until 30 told '.event == "open" and .name == "/plain" and (has("side") | not)'
exec 6< "$M/plain" 8> "$M/plain"
exec 6>&-
wait_until 30 told '.event == "close" and .side == "reader" and .name == "/plain"'
! told '.event == "close" and .side == "writer"' || fail "a writer that has not gone"
exec 8>&-
wait_until 30 told '.event == "close" and .side == "writer" and .name == "/plain"'
# (and what comes fast is summed up: two of a kind in a tenth of a second at most)
begun=${EPOCHREALTIME/./}
for _ in $(seq 200); do exec 8> "$M/plain" 8>&-; done
spans=$(((${EPOCHREALTIME/./} - begun) / 100000))
exec 6< "$M/plain"
exec 7>&-
exec 6>&-
wait_until 30 last_is '.event == "close" and .side == "reader"'
[ "$(jq -s length "$T/events")" -lt $((30 + 4 * spans)) ] || fail "$(jq -s length "$T/events") events"

# a source is a writer; what the daemon keeps of it for a reader to come is nobody's opening
: > "$T/events"
spfs source "$M/plain" "file:$T/in" --wait > /dev/null
wait_until 30 told '.event == "close" and .side == "writer"'
wait_until 30 told '.event == "port" and .state == "done"'
[ "$(cat "$M/plain")" = hello ] || fail "what was kept is lost"
wait_until 30 told '.event == "close" and .side == "reader"'
[ "$(times '.event == "open"')" = 2 ] && [ "$(times '.event == "close" and .side == "reader"')" = 1 ] &&
	[ "$(times '.event == "close" and .side == "writer"')" = 1 ] || fail "openings of the daemon's own: $(cat "$T/events")"

# with a tap the engine tells, without it again what the kernel says; the tap's own opens are not told
: > "$T/events"
ln "$M/plain" "$M/tap"
exec 7> "$M/plain"
wait_until 30 told '.event == "open" and .side == "writer"'
exec 7>&-
wait_until 30 told '.event == "close" and .side == "writer"'
rm "$M/tap"
[ "$(jq -s length "$T/events")" = 2 ] || fail "$(cat "$T/events")"
# (who opens it before the tap has quite gone is missed)
opened() { exec 7<> "$M/plain"; told '.event == "open" and (has("side") | not)'; }
wait_until 30 opened
exec 7>&-
rm "$M/plain"
wait "$plain"

# the daemon's end
spfs watch "$M/cam" 2> "$T/error" &
watcher=$!
wait_until 30 heard $watcher
spfs_unmount
! wait "$watcher" || fail "the daemon's end is no success"
grep -q "the daemon has ended" "$T/error" || fail "it says $(cat "$T/error")"
finish
