# While whoever knows users by name does not answer, a reload waits for that, and nothing else does: not who asks for
# statistics, not the end of the daemon.
. "$(dirname "$0")/harness.sh"
! sanitized || skip "a sanitizer must be loaded first"

printf '[quota]\nnobody = 1M\n' > "$T/conf"
export SLOW_NAMES=$T/slow
LD_PRELOAD=$BUILD/tests/e2e/libslow-names.so spfs_mount -c "$T/conf"
mkfifo "$M/ch" "$M/plain"
ln "$M/ch" "$M/tap"

touch "$SLOW_NAMES"
printf '[quota]\nnobody = 2M\n' > "$T/conf"
spfs reload "$M" > "$T/first" & first=$!
kill -HUP "$DAEMON"
timeout 30 cat "$M/.spfs/stats.json" > /dev/null || fail "stats.json waits for names"
timeout 30 getfattr --absolute-names -n spfs.stats "$M/tap" > /dev/null || fail "spfs.stats waits for names"
timeout 30 getfattr --absolute-names -n spfs.size "$M/plain" > /dev/null || fail "spfs.size waits for names"
kill -0 $first || fail "the reload was answered before the names were"

# They answer: both reloads come back, in their order.
rm "$SLOW_NAMES"
wait $first
log_has "reload: .quota."

wait_until 30 daemon_has errand -eq 0
touch "$SLOW_NAMES"
spfs reload "$M" 2> /dev/null & second=$!
wait_until 30 daemon_has errand -eq 1
kill -TERM "$DAEMON"
wait_until 30 gone "$DAEMON"
DAEMON=
wait $second && fail "the end is a reload's success"
finish
