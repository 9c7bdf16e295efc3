# The daemon says why a stream does not go on: spfs stat, and the log after SIGUSR1.
. "$(dirname "$0")/harness.sh"
spfs_mount

# A stream that has ended has no writers, though they have just been counted.
mkfifo "$M/over"
spfs tee "$M/over" "$M/over.each" --each
over_is() { spfs stat --json "$M/over" > "$T/stats" && jq -e "$1" "$T/stats" > /dev/null; }
exec 5> "$M/over"
wait_until 30 over_is '.writers > 0'
exec 5>&-
wait_until 30 over_is '.flow == "ended"'
jq -e '.writers == 0' "$T/stats" > /dev/null || fail "who writes what has ended: $(cat "$T/stats")"
rm "$M"/over*

mkfifo "$M/ch" "$M/plain"
ln "$M/ch" "$M/tap"
ln "$M/ch" "$M/other"
waits() { spfs stat --json "$M/ch" | jq -r ".taps[] | select(.name == \"/$1\").waits"; }
[ "$(waits tap)" = "$(waits other)" ] || fail "two idle taps wait for different things"
[ -n "$(waits tap)" ] || fail "an idle tap says nothing"

# Nobody reads one of two taps: it holds the writer back, and so the other one.
cat /dev/zero > "$M/ch" & writer=$!
cat "$M/other" > /dev/null & reader=$!
held() { spfs stat "$M/ch" | grep "/tap " | grep -q "reader"; }
wait_until 30 held
blocked() { spfs stat --json "$M/ch" | jq -e '.waits | contains("a tap is full")' > /dev/null; }
wait_until 30 blocked

# The log says it too, of channels that the daemon has a part in, and is asked as often as one likes.
for i in 1 2 3; do
	kill -USR1 "$DAEMON"
	dumped() { [ "$(grep -c "dump: /ch, tap /tap: waiting for a reader" "$LOG")" = "$i" ]; }
	wait_until 30 dumped
done
log_written
! grep -q "dump: /plain" "$LOG" || fail "there is nothing to say of a plain channel"
log_has "dump: 1 channels are asked"

# A reader comes: it goes on.
cat "$M/tap" > /dev/null & late=$!
flows() { ! held; }
wait_until 30 flows
kill $writer
wait $writer 2> /dev/null || true
wait $reader $late
finish
