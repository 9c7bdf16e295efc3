# What waits in a tap, or for new ones, goes: and nothing else.
. "$(dirname "$0")/harness.sh"
spfs_mount
chmod 777 "$M"
cd "$M"
is() { [ "$(spfs stat --json c | jq "$1")" = "$2" ]; }
waits() { is ".taps[] | select(.name == \"/$1\") | .waiting" "$2"; }
gets() { # gets TEXT: what descriptor 6 gives next
	timeout 20 head -c ${#1} <&6 | cmp - <(printf %s "$1") || fail "the reader does not get '$1'"
}

# An only tap: in its ring, though somebody has it open, behind it, and what waits for it in the origin.
mkfifo c
spfs tee c t
spfs set t size=64K depth=128K
exec 5> c 6< t
head -c 5000000 /dev/zero >&5 &
blocked() { spfs stat --json c | jq -e '.taps[0].flow == "blocks the writer"'; }
wait_until 20 blocked > /dev/null
kill %%
wait %% 2> /dev/null || :
waits t 0 && fail "nothing waits in it"
came=$(($(spfs stat --json c | jq '.bytes_in + .waiting')))
spfs flush t
waits t 0 || fail "it was answered before it was done"
is .waiting 0 || fail "there is something in the origin"
is '.taps[0].lost' $came || fail "what went is not counted: $(spfs stat --json c | jq .taps[0].lost) of $came"
echo new >&5
gets new$'\n'
setfattr -n spfs.flush c # (which replays nothing)
printf 'rest' >&5
wait_until 20 waits t 4
spfs flush t
exec 5>&-
[ -z "$(timeout 20 cat <&6)" ] || fail "the end does not follow"
exec 6<&-

# One of two, and the other has all of it.
spfs tee c other
exec 5> c
(for i in $(seq 1000); do printf '%01023d\n' $i; done) >&5
came() { blocked || waits other 1024000; } # (it may come as one chunk)
wait_until 20 came > /dev/null
exec 6< t
spfs flush t
waits t 0 || fail "something waits in it"
waits other 1024000 || fail "the other is held back yet"
echo new >&5
gets new$'\n'
exec 5>&- 6<&-
[ "$(timeout 20 cat other | wc -c)" = 1024004 ] || fail "the other tap"
rm other

# Who is to get the prologue gets it, though it waits; what follows begins with a record.
spfs set c record=line prologue=first:5
rm t
spfs tee c t
exec 5> c
printf 'HEAD\nold\nol' >&5
wait_until 20 waits t 11
exec 6< t
wait_until 20 waits t 11
spfs flush t
printf 'd\nnew\n' >&5
gets $'HEAD\nnew\n'
exec 6<&- 5>&-
rm t

# What a channel replays.
spfs set c replay=1M prologue=none
spfs tee c t
exec 5> c
printf 'old\n' >&5
wait_until 20 waits t 4
spfs flush c
waits t 4 || fail "a tap lost it"
spfs tee c late
printf 'new\n' >&5
exec 6< late
gets $'new\n'
exec 6<&-

# Each reader of a broadcast.
spfs set c replay=0
spfs tee c all --each
exec 6< all 7< all
wait_until 20 is '.taps[] | select(.name == "/all") | .readers' 2
printf 'old\n' >&5
wait_until 20 waits all 4
spfs flush all
waits all 0 || fail "something waits in a broadcast's tap"
printf 'new\n' >&5
gets $'new\n'
exec 6<&7
gets $'new\n'
exec 6<&- 7<&-

# What waits for a broadcast's first reader: that of a writer who has gone, and of one who is held back; in the replay it is yet.
mkfifo first
spfs tee first one --each
lost() { spfs stat --json first | jq -e ".waiting == 0 and .taps[0].lost == $1"; }
echo old > first
spfs flush one
lost 4 > /dev/null || fail "it is there yet, or not counted: $(spfs stat --json first)"
timeout 20 cat one > "$T/got" & reader=$!
wait_until 20 sh -c "spfs stat --json first | jq -e '.taps[0].readers == 1' > /dev/null"
echo new > first
wait $reader
[ "$(cat "$T/got")" = new ] || fail "what was flushed is read: $(cat "$T/got")"
timeout 60 sh -c 'head -c 3000000 /dev/zero; echo last' > first & writer=$!
held() { spfs stat --json first | jq -e '.flow == "blocked"'; }
for _ in 1 2 3; do
	held_or_gone() { gone $writer || held > /dev/null; }
	wait_until 20 held_or_gone
	spfs flush one
done
wait $writer
spfs flush one
lost 3000009 > /dev/null || fail "of a writer who was held back: $(spfs stat --json first)"
spfs set first replay=4
echo old > first
if is_root; then setfattr -n spfs.flush -v 1 one; else spfs flush one; fi
[ "$(timeout 20 cat one)" = old ] || fail "the replay"
spfs flush first
timeout 20 cat one > "$T/got" & reader=$!
wait_until 20 sh -c "spfs stat --json first | jq -e '.taps[0].readers == 1' > /dev/null"
echo new > first
wait $reader
[ "$(cat "$T/got")" = new ] || fail "what was flushed is read: $(cat "$T/got")"

# Who may, and rubbish.
mkfifo plain
spfs flush plain # nothing is there, and nothing goes
refuse 'not a splice channel' spfs flush "$T/log"
refuse 'No such file' spfs flush nothing
[ "$(spfs flush t late all 2>&1)" = "" ] || fail "several"
if is_root; then
	chmod 644 c
	refuse 'neither made the tap nor may write' as_user spfs flush t
	refuse 'no right to write' as_user spfs flush c
	as_user spfs tee plain mine 2> /dev/null && fail "that channel may not be read"
	chmod 666 c
	as_user spfs tee c mine
	chmod 644 c
	printf 'old\n' >&5
	wait_until 20 waits mine 4
	as_user spfs flush mine
	waits mine 0 || fail "its maker cannot flush it"
fi
exec 5>&-
cd /
finish
