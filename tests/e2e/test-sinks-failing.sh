# A sink that fails does not take its channel with it: what it has not moved goes, waits or is tried again, as it was told.
ANY_USER=1 # a mount namespace of its own, in which the disk goes with it
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
need_root "to mount a disk that is full"
spfs_mount
cd "$T"
mkdir disk
head -c 8M /dev/urandom > in
has_all() { cmp -s in "$1"; }
lost() { spfs stat --json "$M/c" | jq .lost; }

# A disk of a megabyte.
full_disk() { mount -t tmpfs -o size=1M spfs-test-disk disk; }
no_disk() { ! mountpoint -q disk || umount -l disk; }

# channel: c with two taps a and b, that are read into files, and a writer of `in` for `written`
channel() {
	rm -f out.*
	mkfifo "$M/c"
	ln "$M/c" "$M/a"
	ln "$M/c" "$M/b"
	cat "$M/a" > out.a &
	cat "$M/b" > out.b &
}
no_channel() {
	rm "$M/a" "$M/b" "$M/c"
	wait
}
# The writer comes through, and both taps have all of it.
written() {
	timeout 60 dd if=in of="$M/c" bs=64k status=none || fail "$1: the writer does not come through"
	wait_until 20 has_all out.a
	wait_until 20 has_all out.b
}
unmoved() { echo $((8388608 - $(port "$M/c" "$1" .bytes))); }

full_disk
channel
spfs sink "$M/c" "file:$T/disk/x" > /dev/null
written "a full disk"
state "$M/c" 1 failed || fail "it has not failed"
[ "$(port "$M/c" 1 .errno)" = ENOSPC ] || fail "it has failed by $(port "$M/c" 1 .errno)"
[ "$(port "$M/c" 1 .bytes)" = "$(stat -c %s disk/x)" ] || fail "of another number of bytes it says they are moved"
# What was on its way is lost, and no more: nothing is taken for it after that.
lost=$(port "$M/c" 1 .lost)
[ "$lost" -gt 0 ] && [ "$lost" -le "$(unmoved 1)" ] || fail "it says that $lost bytes are lost"
log_written
[ "$(grep -c "port 1, file:$T/disk/x: No space left on device; $lost bytes are discarded" "$LOG")" = 1 ] ||
	fail "no line of the log says so"
grep -c '^spfs_port_lost_bytes_total{.*} '"$lost\$" "$M/.spfs/metrics" > /dev/null || fail "the metrics do not have it"
spfs detach "$M/c" 1
[ "$(lost)" = "$lost" ] || fail "it is not the channel's"
no_channel

# A peer that dies, by the network and on this machine; one that is slow; one that only stops sending.
no_disk
channel
port=$(free_port)
socat -u -b 4096 "TCP-LISTEN:$port,bind=$HOST" - 2> /dev/null | head -c 100000 > /dev/null & # ends, and is gone
wait_until 30 listening "$port"
spfs sink "$M/c" "tcp:$HOST:$port" > /dev/null
socat -u UNIX-LISTEN:"$T/s" - 2> /dev/null | head -c 100000 > /dev/null &
wait_until 30 test -S s
spfs sink "$M/c" "unix:$T/s" > /dev/null
port=$(free_port)
nc -N -l "$HOST" "$port" < /dev/null > out.half & half=$!
wait_until 30 listening "$port"
spfs sink "$M/c" "tcp:$HOST:$port" > /dev/null
port=$(free_port)
python3 - "$HOST" "$port" << 'PYTHON' &
import socket, sys, time
s = socket.create_server((sys.argv[1], int(sys.argv[2])))
peer = s.accept()[0]
time.sleep(0.5)
while got := peer.recv(4096): # at 8 KB/s for a moment, until it is closed
    time.sleep(0.5)
PYTHON
slow=$!
wait_until 30 listening "$port"
spfs sink "$M/c" "tcp:$HOST:$port?policy=drop-old&depth=64K" > /dev/null
port=$(free_port)
spfs sink "$M/c" "tcp-listen:$HOST:$port?slow=block" > /dev/null
nc -N "$HOST" "$port" < /dev/null > out.client & client=$!
wait_until 30 sh -c "spfs ports --json '$M/c' | jq -e '.[] | select(.id == 5) | .connected == 1' > /dev/null"
written "peers that die"
for id in 1 2; do
	wait_until 30 state "$M/c" $id failed
	# (What the kernel had taken for a peer that died is moved, as for any sender; by TCP, what has not come to that one is lost too.)
	[ "$(port "$M/c" $id .bytes)" -lt 8388608 ] || fail "to peer $id everything was moved"
	lost=$(port "$M/c" $id .lost)
	log_written
	unread=$(sed -n "s/.*port $id lost \([0-9]*\) bytes, which its peer had not acknowledged\$/\1/p" "$LOG")
	lost=$((lost - ${unread:-0}))
	[ "$(grep -c "port $id, [tu].*\(Broken pipe\|reset by peer\)$([ "$lost" = 0 ] || echo "; $lost bytes are discarded")\$" \
		"$LOG")" = 1 ] || fail "no line for peer $id"
done
half_state=$(port "$M/c" 3 .state)
[ "$half_state" = done ] || [ "$half_state" = running ] || fail "who only stops sending is gone: $half_state"
wait_until 20 has_all out.half
wait_until 20 has_all out.client
wait $half $client || true
[ "$(port "$M/c" 4 .lost)" -gt 1000000 ] || fail "the slow one has not lost what it did not take"
kill $slow
no_channel

# To hold: as its policy says. The next sink goes on with it.
full_disk
channel
spfs sink "$M/c" "file:$T/disk/x?on-error=hold" > /dev/null
dd if=in of="$M/c" bs=64k status=none & writer=$!
wait_until 20 state "$M/c" 1 failed
log_has "No space left on device; [0-9]* bytes wait for the channel's next sink"
sleep 0.3
! gone $writer || fail "the writer was not held back"
spfs sink "$M/c" "file:$T/rest" > /dev/null
wait $writer
wait_until 20 has_all out.a
wait_until 20 has_all out.b
wait_until 20 state "$M/c" 2 done
cat disk/x rest | cmp - in || fail "not all of it is there"
no_channel
channel
spfs sink "$M/c" "file:$T/disk/y?on-error=hold&policy=drop-new" > /dev/null
written "to hold, and to drop what is new"
no_channel
rm disk/*

# To try again: the disk is emptied, and all of it comes.
head -c 900K /dev/zero > disk/other
channel
spfs sink "$M/c" "file:$T/disk/x?on-error=retry" > /dev/null
head -c 500000 in > half
timeout 20 cp half "$M/c"
wait_until 20 state "$M/c" 1 retrying
[ "$(port "$M/c" 1 .errno)" = ENOSPC ] || fail "it does not say why it tries again"
log_has "writing again every 1 s"
rm disk/other
wait_until 20 state "$M/c" 1 done
cmp half disk/x
log_has "port 1 writes again"
no_channel
no_disk

# The settings say it where the sink does not: of a channel, of a tap, of all; and the sink's own word goes before.
mkfifo "$M/c"
ln "$M/c" "$M/a"
[ "$(getfattr --only-values -n spfs.on-error "$M/c")" = auto ] || fail "the preset is another"
spfs set "$M/c" on-error=hold
[ "$(getfattr --only-values -n spfs.on-error "$M/c")" = hold ] || fail "the attribute does not say so"
spfs sink "$M/c" --fd 0 0> /dev/full > /dev/null
echo one > "$M/c"
wait_until 20 state "$M/c" 1 failed
[ "$(port "$M/c" 1 .lost)" = 0 ] || fail "the channel's setting does not hold"
spfs detach "$M/c" 1
spfs sink "$M/c" "file:/dev/full?on-error=discard" > /dev/null
echo one > "$M/c"
wait_until 20 state "$M/c" 2 failed
[ "$(port "$M/c" 2 .lost)" = 4 ] || fail "the sink's word does not go before"

# On a tap: what it has waits, by itself; or goes until somebody reads.
spfs set "$M/c" on-error=auto
timeout 20 cat "$M/a" > /dev/null
spfs sink "$M/a" --fd 0 0> /dev/full > /dev/null
echo two > "$M/c"
wait_until 20 state "$M/c" 3 failed
[ "$(timeout 20 cat "$M/a")" = two ] || fail "a tap did not keep what its sink had not moved"
spfs set "$M/a" on-error=discard
spfs sink "$M/a" --fd 0 0> /dev/full > /dev/null
timeout 20 cp in "$M/c" || fail "a tap whose sink has failed holds the writer back"
wait_until 20 state "$M/c" 4 failed
first_tap() { [ "$(spfs stat --json "$M/c" | jq ".taps[0].$1")" = "$2" ]; }
wait_until 20 first_tap lost 8388608
cat "$M/a" > out.a & reader=$!
in_open() { grep -q 'wait_for_partner\|fifo_open\|pipe_read' "/proc/$reader/wchan"; } # (or already in its first read)
wait_until 20 in_open
echo three > "$M/c"
wait $reader
[ "$(cat out.a)" = three ] || fail "who comes then does not read: $(head -c 100 out.a)"
for x in 1 2 3; do echo $x > "$M/c"; done
wait_until 20 first_tap waiting 6 # (of three streams the first may have ended by itself)
[ "$(timeout 20 cat "$M/a")" = "$(seq 3)" ] || fail "it keeps nothing any more"

# What makes no sense is refused, and says why.
refuse "retry.*goes with on-error=retry alone" spfs sink "$M/c" "tcp:$HOST:1?on-error=hold&retry=1"
refuse "on-error.*is not discard, hold or retry" spfs sink "$M/c" "file:$T/x?on-error=ignore"
refuse "policy.*is not block, drop-new or drop-old" spfs sink "$M/c" "file:$T/x?policy=1"
refuse "policy and depth of a tap that has a name are its own" spfs sink "$M/a" "file:$T/x?depth=1"
refuse "is not for a file source" spfs source "$M/c" "file:$T/in?on-error=hold"
refuse "on-error" spfs set "$M/c" on-error=never
chmod 644 "$M/c"
touch his
chown 65534 his
programs_for_all "$BUILD/cmd/spfs"
refuse "who may not write the channel cannot hold its writer back" as_user spfs sink "$M/c" "file:$T/his?policy=block"
finish
