# The end without memory: the daemon waits for some, and ends in order then.
. "$(dirname "$0")/harness.sh"
sanitized && exit 77 # has a calloc(3) of its own
export NO_MEMORY=$T/none
LD_PRELOAD="$BUILD/tests/e2e/libno-memory.so" spfsd -f -o log="$LOG" "$M" & foreground=$!
wait_until 30 mountpoint -q "$M"
found() { DAEMON=$(find_daemon) && [ -n "$DAEMON" ]; }
wait_until 30 found
mkfifo "$M/ch"
ln "$M/ch" "$M/tap"
echo through > "$M/ch"
[ "$(timeout 20 head -n 1 "$M/tap")" = through ] || fail "nothing came through"
: > "$NO_MEMORY"
refuse 'Cannot allocate memory' mkfifo "$M/other"
umount -l "$M" || fusermount3 -uz "$M"
wait_until 30 grep -q 'is unmounted' "$LOG"
# (the end looks ten times a second)
for _ in 1 2 3 4 5; do
	sleep 0.1
	! gone "$foreground" || fail "ended without memory"
done
rm "$NO_MEMORY"
status=0
wait "$foreground" || status=$?
[ $status = 0 ] || fail "ended with $status"
DAEMON=
finish
