# A reader of a broadcast name who holds his FIFO's lock holds up the channel, but nobody who looks the name up, or removes
# it; and who opens it meanwhile comes in once that is over.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/hanging.sh"
need_root "to be somebody else"
programs_for_all "$BUILD"/cmd/spfs "$BUILD"/tests/e2e/{hanging-file,lock-holder}
spfs_mount -o workers=1
chmod 777 "$M"
as_user mkfifo "$M/c"
as_user spfs tee "$M/c" all --each
as_user spfs tee "$M/c" other --each
readers() { spfs stat --json "$M/c" | jq '[.taps[] | .readers] | add'; }
has_readers() { [ "$(readers)" = "$1" ]; }

# bounded COMMAND...: now and then it may have to wait for a processor
bounded() {
	status=0
	wait_until 60 in_time "$@"
	[ $status = 0 ] || fail "refused, or does not come back: $*"
}
in_time() {
	local before=$SECONDS
	timeout -k 1 30 "$@" > /dev/null || status=$?
	[ $status != 0 ] || [ $((SECONDS - before)) -le 2 ]
}

hanging_begin
setpriv --reuid=65534 --regid=65534 --clear-groups lock-holder read "$T/h/page" "$M/all" > "$T/holder" 2>&1 &
holder=$!
wait_until 20 has_readers 1
as_user timeout 150 sh -c "exec 4> '$M/c'; echo first >&4; until [ -e '$T/held' ]; do sleep 0.05; done; echo more >&4; until [ -e '$T/go' ]; do sleep 0.05; done; echo second >&4" &
writer=$!
wait_until 20 holds "$holder"
touch "$T/held"
wait_until 20 sh -c "timeout 1 stat '$M/all' > /dev/null; grep -q 'stands in' '$LOG'"
log_has 'stands in .* on /all: process'
bounded stat "$M/all"
bounded setpriv --reuid=65534 --regid=65534 --clear-groups stat "$M/all"
bounded ls -l "$M"
as_user timeout 150 cat "$M/all" > "$T/late" &
late=$!
timeout -k 1 30 rm "$M/other" || fail "it cannot be removed"
hanging_fail
wait $holder || true
wait_until 20 grep -q 'goes on' "$LOG"
wait_until 20 has_readers 1
touch "$T/go"
wait $writer $late
grep -q second "$T/late" || fail "who came meanwhile got nothing"
wait_until 20 has_readers 0
finish
