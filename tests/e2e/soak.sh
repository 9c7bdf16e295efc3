#!/bin/bash
# soak.sh MINUTES: does the daemon grow? Not a test of ctest: a person runs it, for an hour or a night.
#
#     SPFS_BUILD=build tests/e2e/soak.sh 60
#
# For nearly every minute there are streams, taps that come and go, killed readers, creating handles and
# thousands of channels made and removed, at a moderate rate (a quarter of a processor), beside one
# stream that lasts for all of the time. Then all but that one stops, and a line says what the daemon has:
# resident memory in KiB, descriptors, threads, pipe ends. Fails at a wrong byte, and where the memory at
# the end is over 110 % of minute 5's (of the first where there are fewer), or there are more descriptors
# than then.
minutes=${1:?usage: soak.sh MINUTES}
SPFS_BUILD=$(realpath "${SPFS_BUILD:-build}")
export SPFS_BUILD
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
records=$SPFS_BUILD/tests/e2e/records
LC_ALL=C

rss() { awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON/status"; }
threads() { ls "/proc/$DAEMON/task" | wc -l; }
pipes() { (find "/proc/$DAEMON/fd" -printf '%l\n' 2> /dev/null || true) | grep -cE 'pipe:|fifo|[0-9a-f]{16}$' || true; }

# Every load runs until $end, in a shell of its own; a failing command of it fails the whole.
# load NAME COMMAND: runs the command again and again
load() {
	local name=$1 n=0
	shift
	while [ $SECONDS -lt $end ]; do "$@" $((++n)); done
	echo "$name: $n" >> "$T/rounds"
}

# Kills a child that may have ended by itself, without a word.
put_down() { { kill -9 $1 || true; wait $1 || true; } 2> /dev/null; }

# 4 MiB/s of records to two readers that look at every byte.
stream() {
	local pids=
	for r in r1 r2; do
		timeout 60 "$records" check 512 1 40000 < $r & pids="$pids $!"
	done
	"$records" write 0 40000 512 | pv -qL 4m > c
	for p in $pids; do wait $p; done
}

tap_comes_and_goes() {
	ln c late
	timeout 0.3 head -c 100000 late > /dev/null || [ $? = 124 ]
	rm late
	sleep 0.1
}

# It shares its tap with nobody: what it takes along is nobody's loss.
killed_reader() {
	[ -e victim ] || ln c victim
	cat victim > /dev/null &
	sleep 0.0$((RANDOM % 10))
	put_down $!
	sleep 0.05
}

handle() {
	head -c 30000 /dev/zero > h$1
	[ "$(timeout 10 cat h$1 | wc -c)" = 30000 ]
	rm h$1
	# One that is parked, and killed.
	head -c 300000 /dev/zero > p$1 &
	sleep 0.1
	put_down $!
	rm -f p$1
	sleep 0.2
}

channels() {
	mkdir many$1
	python3 - many$1 << 'PY'
import os, sys
os.chdir(sys.argv[1])
for i in range(1000):
    os.mkfifo("c%d" % i)
    if i % 10 == 0:
        os.link("c%d" % i, "t%d" % i)
assert len(os.listdir()) == 1100
PY
	rm -r many$1
	sleep 2
}

look() {
	spfs stat --json "$M" > /dev/null
	getfattr -d -m - c r1 > /dev/null 2>&1 || true
	sleep 1
}

mkfifo long c
ln long l1; ln long l2; ln c r1; ln c r2
for l in l1 l2; do "$records" check 1024 1 4294967295 < $l > /dev/null 2> "$T/$l" & done
"$records" write 0 4294967295 1024 | pv -qL 500k > long &

printf '%7s %10s %12s %8s %10s\n' minute RSS descriptors threads 'pipe ends'
base_rss='' base_fds=''
for minute in $(seq "$minutes"); do
	end=$((minute * 60 - 6)) pids=
	for l in stream tap_comes_and_goes killed_reader handle channels look; do
		load $l $l & pids="$pids $!"
	done
	for p in $pids; do
		while ! gone $p; do
			# A tap without a reader would hold the stream back for ever.
			[ ! -e victim ] || timeout 0.2 cat victim > /dev/null || true
			sleep 0.5
		done
		wait $p || fail "a load failed in minute $minute"
	done
	rm -f victim
	[ ! -s "$T/l1" ] && [ ! -s "$T/l2" ] || fail "the long stream: $(cat "$T/l1" "$T/l2")"
	[ -z "$base_fds" ] || wait_until 10 sh -c "[ \$(ls /proc/$DAEMON/fd | wc -l) -le $base_fds ]"
	sleep 1 # what was released is given back
	printf '%7d %10d %12d %8d %10d\n' $minute $(rss) $(daemon_fds) $(threads) $(pipes)
	if [ $minute = 5 ] || { [ $minute = 1 ] && [ "$minutes" -le 5 ]; }; then
		base_rss=$(rss) base_fds=$(daemon_fds)
	fi
done
awk '{ n[$1] += $2 } END { for (l in n) print l, n[l] }' "$T/rounds"
log_lines=$(wc -l < "$LOG")
echo "$log_lines lines in the log"
! grep -i 'lost\|cannot\|stage' "$LOG" || fail "the log complains"
[ $(($(rss) * 10)) -le $((base_rss * 11)) ] || fail "RSS grew from $base_rss to $(rss) KiB"
kill $(jobs -p) 2> /dev/null || true
wait || true
cd /
finish
