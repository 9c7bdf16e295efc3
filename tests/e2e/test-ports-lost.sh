# What a failed sink leaves, where it is to be held, goes to its user's next one, at that one's rate; and what is lost is counted.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
! is_root || programs_for_all "$BUILD/cmd/spfs"
spfs_mount
cd "$T"
head -c 400000 /dev/urandom > in
lost() { spfs stat --json "$M/c" | jq .lost; }

# /dev/full fails with all of it in hand.
failed() { # failed ID: attaches it, and writes
	spfs sink "$M/c" --fd 0 0> /dev/full > /dev/null
	timeout 20 cp in "$M/c"
	wait_until 20 state "$M/c" "$1" failed
}
mkfifo -m 666 "$M/c"
spfs set "$M/c" on-error=hold
failed 1
before=$EPOCHREALTIME
spfs sink "$M/c" "file:$T/slow?rate=40K" > /dev/null
wait_until 60 cmp -s in slow
took=$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))
[ $took -ge 7000 ] || fail "400000 bytes at 40K took $took ms"
spfs detach "$M/c" 1

# It is not for anybody else.
if is_root; then
	failed 3
	touch others
	chown 65534 others
	as_user spfs sink "$M/c" "file:$T/others" > /dev/null
	echo later > "$M/c"
	wait_until 20 sh -c "[ \$(stat -c %s others) != 0 ]"
	[ "$(cat others)" = later ] || fail "another user has $(stat -c %s others) bytes"
	spfs sink "$M/c" "file:$T/own" > /dev/null
	wait_until 20 sh -c "[ \$(stat -c %s own) = 400006 ]"
	spfs detach "$M/c" 3
fi

# With a sink goes what it has not moved.
[ "$(lost)" = 0 ] || fail "$(lost) bytes are lost, it says"
taken() { spfs stat --json "$M/c" | jq .bytes_in; }
all_taken() { [ "$(taken)" = $((before + 400000)) ]; }
id=$(spfs sink "$M/c" --fd 0 0> /dev/full)
before=$(taken)
timeout 20 cp in "$M/c"
wait_until 20 state "$M/c" "$id" failed
wait_until 20 all_taken
spfs detach "$M/c" "$id"
[ "$(lost)" = 400000 ] || fail "$(lost) bytes are lost, it says"
rm "$M/c"

# What a failed sink has lost is in the table of ports and in top, for it alone, its channel and all; once it is detached, it is the
# channel's.
mkfifo "$M/c"
column() { awk -v name="$1" -v row="$2" 'NR == 1 { while ($++i != name) ; next } $0 ~ row { print $i }'; }
spfs sink "$M/c" "file:/dev/full?on-error=discard" > /dev/null
# (one write, which the ring holds: what comes once it has failed has no reader)
timeout 20 dd if=in "of=$M/c" bs=64K count=1 status=none
wait_until 20 state "$M/c" 1 failed
is_lost() { [ "$(port "$M/c" 1 .lost)" = 65536 ]; }
wait_until 20 is_lost || fail "$(ports "$M/c")"
size=64K
spfs ports "$M/c" > table
[ "$(column LOST /c < table)" = $size ] || fail "the port: $(cat table)"
spfs stat "$M/c" > table
[ "$(column LOST /c < table)" = $size ] || fail "the channel: $(cat table)"
spfs top -b -n 1 -d 0.1 "$M/c" > table
grep -q "^1 channels.* lost $size\$" table || fail "the head: $(cat table)"
tail -n +3 table > rows
[ "$(column LOST '^/c ' < rows)" = $size ] || fail "the channel: $(cat table)"
spfs detach "$M/c" 1
spfs stat "$M/c" > table
[ "$(column LOST /c < table)" = $size ] || fail "$(cat table)"
spfs top -b -n 1 -d 0.1 "$M/c" | grep -q " lost $size\$" || fail "once it is detached"
rm "$M/c"

# Two that append to one file do not write over each other.
mkfifo "$M/a" "$M/b"
for x in a b; do spfs sink "$M/$x" "file:$T/both?append=1" > /dev/null; done
for x in a b; do head -c 32M /dev/zero > "$M/$x" & done
wait
for x in a b; do wait_until 30 state "$M/$x" 1 done; done
[ "$(stat -c %s both)" = 67108864 ] || fail "of 64 MiB that were appended $(stat -c %s both) bytes are there"
finish
