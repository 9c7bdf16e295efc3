# Who holds the lock of a pipe or socket stops what he may open, and nobody else: by reading into memory, or writing out of
# it, that never comes. Not other users' channels, not folders, .spfs and spfs stat, and not the daemon's end.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/hanging.sh"
need_root "to be somebody else"
programs_for_all "$BUILD"/cmd/spfs "$BUILD"/tests/e2e/{hanging-file,lock-holder}

begin() {
	spfs_mount -o workers=1
	chmod 777 "$M"
	mkdir -m 777 "$M/all"
	mkfifo -m 600 "$M/all/closed"
	mkfifo -m 644 "$M/all/open"
	ln "$M/all/closed" "$M/all/closed.tap"
	ln "$M/all/open" "$M/all/open.tap"
	mkdir -m 700 "$M/all/shut"
	mkfifo -m 644 "$M/all/shut/inside"
	ln "$M/all/shut/inside" "$M/all/shut/inside.tap"
	as_user mkfifo "$M/all/his"
	as_user ln "$M/all/his" "$M/all/his.tap"
	as_user sh -c "echo first > '$M/all/his'"
}

writers=()
hold() { # WHAT...: of lock-holder
	local how=$1
	shift
	log_written
	lines=$(wc -l < "$LOG")
	setpriv --reuid=65534 --regid=65534 --clear-groups lock-holder "$how" "$T/h/page" "$@" > "$T/holder" 2>&1 & holder=$!
	case $1 in
	pipe) wait_until 20 grep -q now "$T/holder" ;; # what is passed is attached; there is nothing in it yet
	tcp | unix) ;;
	*) wait_until 20 holds "$holder" ;;
	esac
}

# Whether a thread of the daemon waits for a lock.
stuck() { cat "/proc/$DAEMON/task/"*/stat | grep -q '^[0-9]* ([^)]*) D '; }

# What the log says since the last hold.
says() { tail -n "+$((lines + 1))" "$LOG" | grep -q -- "$1"; }

# answered COMMAND...: it comes back, well or not; with what it says in $out
answered() {
	status=0
	out=$T/out.$BASHPID
	if [ "$1" = as_user ]; then
		shift
		set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	fi
	timeout -k 1 30 "$@" > "$out" 2>&1 || status=$?
	[ $status -lt 124 ] || fail "does not come back: $*"
}

# bounded COMMAND...: it comes back, and well
bounded() {
	answered "$@"
	[ $status = 0 ] || fail "$* is refused: $(cat "$out")"
}

# refused TEXT COMMAND...: it comes back, and says so
refused() {
	local text=$1
	shift
	answered "$@"
	[ $status != 0 ] || fail "goes well: $*"
	grep -Eq "$text" "$out" || fail "$* is refused otherwise: $(cat "$out")"
}

# late COMMAND...: that it takes too long is its answer
late() { refused 'timed out|does not answer' "$@"; }

flows() {
	local name
	for name in closed open shut/inside; do
		if [ "$name" = "${1:-}" ]; then continue; fi
		head -c 3000000 /dev/zero > "$M/all/$name" & writer=$!
		[ "$(timeout 30 cat "$M/all/$name.tap" | wc -c)" = 3000000 ] || fail "root's $name does not flow"
		wait $writer
	done
}

# Nobody else notices. What is asked of his own channel is answered.
nobody_stands() {
	wait_until 20 stuck
	flows
	as_user timeout 30 sh -c "echo x > '$M/all/his'; head -c 2 '$M/all/his.tap'" > "$T/his" || fail "his other channel stands"
	! says 'stands in' || fail "$(grep 'stands in' "$LOG" | tail -1)"
	hanging_fail
	wait $holder || true
}
goes_on() { # TEXT [CHANNEL]: what the log says of the worker, and which of root's channels is held up
	local held=$M/all/${2:-his}
	answered as_user ln "$M/all/his" "$M/all/late" # (it may not be held yet)
	[ ! -e "$M/all/late" ] || rm "$M/all/late"
	bounded ls -l "$M/all"
	flows "${2:-}"
	bounded cat "$M/.spfs/stats.json"
	jq -e '.channels | length == 4' "$out" > /dev/null || fail "not every channel is told of"
	bounded spfs stat "$M/all"
	answered spfs get "$held"
	answered spfs set "$held.tap" depth=2M
	answered spfs set "$held" packets=1
	answered getfattr -n spfs.ports "$held"
	answered spfs ports "$held"
	answered as_user setfattr -n spfs.tee -v late "$held"
	[ ! -e "$M/all/late" ] || rm "$M/all/late"
	wait_until 20 says "$1"
	flows "${2:-}"
	bounded getfattr -n spfs.stats "$held"
	bounded spfs stat "$held"
	late ln "$held" "$M/all/late"
	late setfattr -n spfs.tee -v late "$held"
	late setfattr -n spfs.sink -v file:/dev/null "$held.tap"
	late setfattr -n spfs.depth -v 2M "$held.tap"
	late getfattr -n spfs.depth "$held.tap"
	late getfattr -n spfs.ports "$held"
	late spfs get "$held"
	late spfs set "$held.tap" depth=2M
	late spfs set "$held" packets=1
	late spfs ports "$held"
	late spfs watch "$held"
	late spfs sink "$held.tap" file:/dev/null
}

# Once it is over his channel is as it was, and has nothing that was refused.
recovers() {
	hanging_fail
	wait $holder || true
	wait_until 20 says "goes on"
	[ ! -e "$M/all/late" ] || fail "a tap that was refused is there"
	as_user timeout 20 ln "$M/all/his" "$M/all/new" || fail "his channel stays broken"
	rm "$M/all/new"
	flows
}

begin
# ---- a tap's reader, and the origin's writer ----
# Three who have a channel of his open as its creators; one is about to write without waiting, one until he is killed, and one
# only makes it longer.
for how in NONBLOCK WRONLY TRUNC; do
	# shellcheck disable=SC2016 # Python's
	setpriv --reuid=65534 --regid=65534 --clear-groups /usr/bin/python3 -c 'import errno, os, signal, sys, time
how, name, go = sys.argv[1:]
fd = os.open(name, os.O_CREAT | os.O_WRONLY | getattr(os, "O_" + how))
while not os.path.exists(go):
    time.sleep(0.05)
if how == "WRONLY":
    signal.alarm(1)
try:
    os.ftruncate(fd, 4096) if how == "TRUNC" else os.write(fd, b"x")
except OSError as e:
    sys.exit(e.errno)' $how "$M/all/by.$how" "$T/go" 2> /dev/null & writers+=($!)
	wait_until 20 test -e "$M/all/by.$how"
done
hanging_begin
hold read "$M/all/his.tap"
as_user sh -c "echo more > '$M/all/his'" & more=$!
wait_until 20 stuck
# Before anybody has noticed: the folder is not locked for long.
late as_user ln "$M/all/his" "$M/all/late" & linking=$!
late setfattr -n spfs.sink -v file:/dev/null "$M/all/his.tap" & attaching=$!
asked=$SECONDS
sleep 0.1
bounded ls "$M/all"
wait $linking
wait $attaching
wait_until 20 says 'stands in'
touch "$T/go"
for i in 0 1 2; do
	timeout 30 tail --pid="${writers[i]}" -f /dev/null || fail "who writes waits for ever"
	status=0
	wait "${writers[i]}" || status=$?
	case $i in
	1) expected=$((128 + $(kill -l ALRM))) ;;
	*) expected=110 ;; # ETIMEDOUT
	esac
	[ $status = $expected ] || fail "creator $i ended with $status"
done
as_user rm "$M/all/by."*
goes_on "stands in .* on /all/his.tap: process $holder (lock-holder) of user 65534 is in read()"
bounded spfs stat "$M/all/his"
grep -q "process $holder (lock-holder)" "$out" || fail "spfs stat does not say who"
while [ $((SECONDS - asked)) -le 6 ]; do sleep 0.2; done # what was answered late has a timer of its own (xattrs.h)
kill -USR1 "$DAEMON"
wait $more
recovers
as_user timeout 20 cat "$M/all/his.tap" > "$T/rest" # it ends, for the stream is over
grep -q more "$T/rest"

hanging_begin
hold write "$M/all/his"
goes_on "stands in .* on /all/his.*: process $holder (lock-holder) of user 65534 is in write()"
recovers
as_user sh -c "timeout 1 cat '$M/all/his.tap' > /dev/null" || true

# ---- what was passed ----
as_user sh -c "echo x > '$M/all/his'"
hanging_begin
hold read pipe spfs sink "$M/all/his" --fd 3
as_user sh -c "{ echo a; sleep 0.5; echo b; } > '$M/all/his'" # (one stream: a sink goes with its end)
goes_on "stands in .* on pipe:.*process $holder (lock-holder) of user 65534 is in read()"
recovers

as_user mkfifo "$M/all/tcp" "$M/all/unix"
hanging_begin
as_user ln "$M/all/tcp" "$M/all/tcp.tap"
as_user sh -c "head -c 30000 /dev/zero > '$M/all/tcp'"
# A socket is asked by a lane: no worker stands for it, and he goes on himself.
hold write tcp spfs sink "$M/all/tcp.tap" --fd 3
nobody_stands
rm "$M/all/tcp" "$M/all/unix" "$M/all/tcp.tap"

as_user mkfifo "$M/all/unix"
hanging_begin
hold read unix spfs source "$M/all/unix" --fd 3
nobody_stands
rm "$M/all/unix"

# ---- a channel that the daemon has no part in ----
as_user mkfifo "$M/all/plain"
exec 3<> "$M/all/plain"
echo x >&3
hanging_begin
hold read "$M/all/plain"
bounded spfs get "$M/all/plain"
grep -q "size.*unknown" "$out" || fail "the size of a ring that is held"
refused "keeps it locked" spfs set "$M/all/plain" size=128K
bounded cat "$M/.spfs/stats.json"
bounded spfs stat "$M/all/plain"
flows
hanging_fail
wait $holder || true
exec 3>&-
rm "$M/all/plain"

# ---- root's own, which he may open: the others go on ----
echo here > "$M/all/open"
hanging_begin
hold read "$M/all/open.tap"
echo more > "$M/all/open" & more=$!
goes_on "user 0's worker for channels open to others stands in .* on /all/open.tap: process $holder" open
wait $more
hanging_fail
wait $holder || true
wait_until 20 grep -q "goes on" "$LOG"
timeout 20 cat "$M/all/open.tap" > /dev/null
flows

# ---- the end ----
for how in "kill $DAEMON" "umount -l $M"; do
	as_user sh -c "echo first > '$M/all/his'"
	hanging_begin
	hold read "$M/all/his.tap"
	as_user sh -c "echo more > '$M/all/his'"
	wait_until 20 says 'stands in'
	exec 4> "$M/all/closed"
	rm -f "$T/read" # of the last end, which would be taken for this one's
	cat "$M/all/closed.tap" > "$T/read" & reader=$! # its end comes with the daemon's
	echo here >&4
	wait_until 20 grep -q here "$T/read"
	$how
	unmounted() { ! mounted; }
	wait_until 30 unmounted
	wait_until 30 grep -q "leaving it behind" "$LOG"
	wait_until 30 gone "$DAEMON"
	bounded ls "$M"
	timeout 30 tail --pid=$reader -f /dev/null || fail "root's reader hangs"
	exec 4>&-
	hanging_fail
	wait $holder $reader || true
	wait_until 20 no_daemon
	DAEMON=
	rm "$LOG"
	begin
done
finish
