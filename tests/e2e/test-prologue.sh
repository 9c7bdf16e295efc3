# The prologue: what each reader of a tap gets first, before the replay, and once.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
is() { [ "$(spfs stat --json c | jq "$1")" = "$2" ]; }
reads() { # reads COUNT FILE TEXT
	local got
	got=$(timeout 20 head -c "$1" < "$2") || fail "$2 does not give $1 bytes"
	[ "$got" = "$3" ] || fail "$2 gives '$got', not '$3'"
}
# The first bytes of the stream.
mkfifo c
[ "$(getfattr --only-values -n spfs.prologue c)" = none ] || fail "what it is at first"
spfs set c prologue=first:4
[ "$(getfattr --only-values -n spfs.prologue c)" = first:4 ] || fail "what was set"
[ "$(spfs get --json c | jq -r .prologue)" = first:4 ] || fail "what was set"
spfs tee c old
spfs tee c live --each
exec 5> c
printf 'HEAD' >&5
printf 'one' >&5
wait_until 20 is .bytes_in 7
is .prologue 4 || fail "what is kept: $(spfs stat --json c | jq .prologue)"
spfs tee c late
exec 6< live
wait_until 20 is '.taps[] | select(.name == "/live") | .readers' 1
printf 'two' >&5
reads 10 old HEADonetwo # (it began with the stream, and so gets it once)
reads 7 late HEADtwo
[ "$(timeout 20 head -c 7 <&6)" = HEADtwo ] || fail "a broadcast's reader"
exec 6<&-
printf 'three' >&5
reads 5 late three # (a tap begins but once, whoever reads it)

# A client, and a sink of its own.
spfs sink c "unix-listen:$T/socket" > "$T/id"
wait_until 20 socket_listens "$T/socket"
timeout 60 socat -u "UNIX-CONNECT:$T/socket" "CREATE:$T/client" &
client=$!
spfs sink c "file:$T/file" > /dev/null
wait_until 20 is '[.taps[]] | length' 3
wait_until 20 test -s "$T/client"
printf 'four' >&5
exec 5>&-
wait_until 20 grep -q four "$T/client"
wait_until 20 grep -q four "$T/file"
[ "$(cat "$T/file")" = HEADfour ] || fail "a sink got $(cat "$T/file")"
[ "$(cat "$T/client")" = HEADfour ] || fail "a client got $(cat "$T/client")"
spfs detach c "$(cat "$T/id")"
wait $client
[ "$(timeout 20 cat late)" = four ] || fail "the rest of the tap"

# The next stream has another one.
exec 5> c
printf 'NEXTdata' >&5
wait_until 20 is .bytes_in 27
spfs tee c later
printf 'more' >&5
reads 8 later NEXTmore
reads 12 late NEXTdatamore
exec 5>&-
rm late later live old c

# A replay that has the beginning brings it; one that has not is preceded by it, and none has bytes of another stream.
mkfifo c
spfs set c prologue=first:4 replay=1000 record=1
spfs tee c old
spfs set old idle=discard
exec 5> c
printf 'HEADone' >&5
wait_until 20 is .bytes_in 7
spfs tee c late
reads 7 late HEADone
spfs set c replay=5
spfs tee c later
reads 7 later HEADone # (the last five begin within it)
rm late later
exec 5>&-
wait_until 20 is .streams 1
exec 5> c
printf 'NE' >&5
wait_until 20 is .bytes_in 9
spfs set c replay=1000
spfs tee c late
printf 'XTtwo' >&5
reads 7 late NEXTtwo
exec 5>&-
rm late old c

# Whatever was dropped or discarded until then, who reads first begins with it; records are where they were.
mkfifo c
spfs set c prologue=first:24 record=188
spfs tee c old
spfs tee c discards
spfs tee c recent
spfs tee c first
spfs set old policy=drop-old size=64K depth=64K
spfs set discards policy=drop-old idle=discard
spfs set recent policy=drop-new size=64K depth=0
exec 5> c
/usr/bin/python3 -c 'import sys
for i in range(10000): sys.stdout.buffer.write(b"G%07d" % i + b"." * 180)' > "$T/packets"
timeout 60 cat first > "$T/first" 5>&- &
reader=$!
dd "if=$T/packets" bs=64K status=none >&5
wait_until 20 is .bytes_in 1880000
exec 6< old 7< discards 8< recent
dd "if=$T/packets" bs=64K status=none >&5
wait_until 20 is .bytes_in 3760000
exec 5>&-
timeout 20 cat <&6 > "$T/old"
timeout 20 cat <&7 > "$T/discards"
timeout 20 cat <&8 > "$T/recent"
exec 6<&- 7<&- 8<&-
wait $reader
cat "$T/packets" "$T/packets" | cmp - "$T/first" || fail "who reads from the start on gets the stream, and nothing else"
head -c 24 "$T/packets" > "$T/head"
for tap in old discards; do
	head -c 24 "$T/$tap" | cmp - "$T/head" || fail "$tap does not begin with the prologue"
	[ $((($(stat -c %s "$T/$tap") - 24) % 188)) = 0 ] || fail "$tap: $(stat -c %s "$T/$tap")"
	[ "$(tail -c +25 "$T/$tap" | head -c 1)" = G ] || fail "$tap: it begins within a record"
done
head -c 188 "$T/packets" | cmp -n 188 - "$T/recent" || fail "what was dropped is the new, and the beginning is twice"
[ "$(tail -c +189 "$T/recent" | head -c 1)" = G ] || fail "it begins within a record"
rm old discards recent first c

# (the same where some is left each time, and something went)
mkfifo c
spfs set c prologue=first:4
spfs tee c old
spfs set old policy=drop-old size=4K depth=8000
exec 5> c
for i in $(seq 20); do
	printf 'HEAD%0995d\n' $i >&5
	wait_until 20 is .bytes_in $((1000 * i))
done
exec 6< old 5>&-
timeout 20 cat <&6 > "$T/old"
exec 6<&-
[ "$(head -c 8 "$T/old")" = HEADHEAD ] && [ $(($(stat -c %s "$T/old") % 1000)) = 4 ] || fail "$(head -c 20 "$T/old")"
rm old c

# By value: any bytes, as many as an attribute has.
mkfifo c
spfs tee c old
setfattr -n spfs.prologue -v 0x00ff0a00 c
getfattr --only-values -n spfs.prologue c | cmp - <(printf '\000\377\n\000') || fail "the bytes are others"
[ "$(spfs get --json c | jq -r .prologue)" = bytes:4 ] || fail "what spfs get says"
exec 5> c
printf 'one' >&5
timeout 20 head -c 7 old | cmp - <(printf '\000\377\n\000one') || fail "what a tap begins with"
head -c 65536 /dev/urandom > "$T/large"
spfs set c prologue="@$T/large" record=line
is .prologue 65536 || fail "how much it is"
spfs tee c late
spfs set late size=4K
timeout 20 cat late > "$T/late" 5>&- &
reader=$!
printf '\nmore\n' >&5
exec 5>&-
wait $reader
cat "$T/large" <(echo more) | cmp - "$T/late" || fail "what is before a whole line"
exec 5> c
printf 'next' >&5
wait_until 20 is .bytes_in 13
spfs set c prologue=TEXT
spfs tee c text
printf '\nline' >&5
reads 8 text TEXTline
spfs set c prologue=none
is .prologue 0 || fail "it is there yet"
exec 5>&-
rm text late old

# Rubbish, and who may not.
cp "$T/large" "$T/larger"
echo >> "$T/larger"
: > "$T/empty"
setfattr -n spfs.prologue -v TEXT c
for word in none first:3 first:aid bytes:1; do
	printf %s $word > "$T/word"
	refuse 'read as a word here' spfs set c "prologue=@$T/word"
	[ "$(getfattr --only-values -n spfs.prologue c)" = TEXT ] || fail "$word of a file was taken as a word"
done
refuse 'neither none nor first:BYTES\|not a number' spfs set c prologue=first:aid
refuse 'not within 0 and 64K' spfs set c prologue=first:65537
refuse '64K at most' spfs set c "prologue=@$T/larger"
refuse 'nothing in it' spfs set c "prologue=@$T/empty"
refuse 'No such file' spfs set c "prologue=@$T/none"
refuse 'neither none nor' spfs set c prologue=bytes:4
refuse 'Invalid argument' setfattr -n spfs.prologue -v first:x c
refuse 'Invalid argument' setfattr -n spfs.record -v 0x3100 c
spfs tee c late
refuse 'Invalid argument' setfattr -n spfs.prologue -v x late
refuse "the channel's first name" spfs set late prologue=first:1
if is_root; then
	chmod 644 c
	refuse 'denied' as_user setfattr -n spfs.prologue -v x c
fi
rm late c

# A listener on a tap: its clients have it from the channel, or from the tap, once.
mkfifo c
spfs set c prologue=first:4
spfs tee c old
spfs sink old "unix-listen:$T/relay" > /dev/null
wait_until 20 socket_listens "$T/relay"
timeout 60 socat -u "UNIX-CONNECT:$T/relay" "CREATE:$T/one" &
client=$!
exec 5> c
printf 'HEADone' >&5
wait_until 20 grep -q one "$T/one"
timeout 20 socat -u "UNIX-CONNECT:$T/relay" "CREATE:$T/two" 5>&- &
second=$!
wait_until 20 grep -q HEAD "$T/two"
printf 'two' >&5
exec 5>&-
wait $client $second
[ "$(cat "$T/one")" = HEADonetwo ] || fail "the first client got $(cat "$T/one")"
[ "$(cat "$T/two")" = HEADtwo ] || fail "the second client got $(cat "$T/two")"
rm old c

# Into a file that has something a sink puts none, by whatever it is open for that, and from the tap of one that has failed; what
# the stream itself begins with is its own.
mkfifo c
spfs set c prologue=HDR:
ended() { [ "$(spfs ports --json c | jq -r '.[-1].state')" = done ]; }
for sink in "file:$T/kept?append=1" "file:$T/kept-%Y?append=1&rotate=1h" "--fd=7" "--fd=8"; do
	for i in 1 2; do
		exec 7>> "$T/kept-7" 8> "$T/kept-8"
		[ "$i$sink" != 2--fd=8 ] || printf 'HDR:1\n' >&8
		spfs sink c "$sink" > /dev/null 7>&7 8>&8
		echo $i > c
		wait_until 20 ended
		exec 7>&- 8>&-
	done
done
for file in "$T"/kept{,-*}; do
	[ "$(cat "$file")" = "$(printf 'HDR:1\n2')" ] || fail "$file: $(cat "$file")"
done
spfs sink c 'file:/dev/full?on-error=hold' > /dev/null
exec 5> c
echo 3 >&5
failed() { [ "$(spfs ports --json c | jq -r '.[-1].state')" = failed ]; }
wait_until 20 failed
spfs sink c "file:$T/kept?append=1" > /dev/null
exec 5>&-
wait_until 20 ended
[ "$(cat "$T/kept")" = "$(printf 'HDR:1\n2\n3')" ] || fail "what another had left: $(cat "$T/kept")"
spfs tee c t
spfs sink t "file:$T/kept?append=1" > /dev/null
exec 5> c
echo 4 >&5
wait_until 20 grep -q 4 "$T/kept"
spfs flush t
echo 5 >&5
exec 5>&-
wait_until 20 ended
[ "$(cat "$T/kept")" = "$(printf 'HDR:1\n2\n3\n4\n5')" ] || fail "on a tap: $(cat "$T/kept")"
rm t
spfs set c prologue=first:1
printf 6 > "$T/kept"
spfs sink c "file:$T/kept?append=1" > /dev/null
printf 78 > c
wait_until 20 ended
[ "$(cat "$T/kept")" = 678 ] || fail "the stream's own: $(cat "$T/kept")"
rm c

# A real one: who comes late to a capture.
if is_root && command -v tcpdump > /dev/null; then
	mkfifo dump
	spfs set dump prologue=first:24
	spfs tee dump all
	spfs set all idle=discard
	capture() {
		ip link set lo up
		tcpdump -i lo -U -w - udp port 7777 > dump 2> "$T/tcpdump" &
		while [ -e "$T/goes" ]; do echo packet > /dev/udp/127.0.0.1/7777; sleep 0.02; done
		kill -INT $!
		wait $!
	}
	touch "$T/goes"
	export -f capture
	T=$T unshare -n bash -c capture &
	capture=$!
	dumped() { [ "$(spfs stat --json dump | jq .bytes_in)" -gt "$1" ]; }
	wait_until 20 dumped 1000
	spfs tee dump late
	timeout 20 tcpdump -r late -c 3 2> "$T/why" > "$T/seen" || fail "$(cat "$T/why")"
	[ "$(grep -c 7777 "$T/seen")" = 3 ] || fail "it saw $(cat "$T/seen")"
	spfs tee dump again --each
	timeout 20 tcpdump -r again -c 3 > "$T/seen" 2> "$T/why" || fail "$(cat "$T/why")"
	[ "$(grep -c 7777 "$T/seen")" = 3 ] || fail "a broadcast's reader saw $(cat "$T/seen")"
	rm "$T/goes"
	wait $capture
	rm late again all dump
fi
cd /
finish
