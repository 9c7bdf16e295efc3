# rotate=: a file sink goes from file to file by itself, cut at a boundary of its records, with nothing lost or twice and no empty
# files; keep= removes what the sink has made, and nothing else.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
programs_for_all "$BUILD/cmd/spfs"
spfs_mount
cd "$T"
count() { find "$1" -type f | wc -l; }
files() { find "$1" -type f -printf '%T@ %p\n' | sort -n | cut -d' ' -f2-; } # the oldest first
joined() { find "$1" -type f | sort -V | xargs -r -d '\n' cat; }
port_is() { [ "$(port "$M/$1" 1 "$2")" = "$3" ]; }
ended() { wait_until 60 state "$M/$1" 1 done; }

# What is no such name, or does not go with it, is refused with the reason.
mkfifo "$M/c"
while read -r uri why; do refuse "$why" spfs sink "$M/c" "file:$T/$uri"; done << 'END'
plain?rotate=1M the path needs the time in it
a%%b?rotate=1M the path needs the time in it
a%25Y?rotate=1h the path needs the time in it
a%Q?rotate=1h no part of the time
a%D?rotate=1h no part of the time
a%?rotate=1h no part of the time
a%Y?rotate=0 out of range
a%Y?rotate=1K out of range
a%Y?rotate=0h out of range
a%Y?rotate=400d out of range
a%Y?rotate=1w is not a size
a%Y?rotate= is not a size
a%Y?keep=3 without two hexadecimal
a?keep=3 it goes with rotate alone
a%Y?rotate=1h&keep=x is not a number
END
refuse 'not for a file source' spfs source "$M/c" "file:$T/a?rotate=1M"
rm "$M/c"

# By size, faster than the names differ, and what is there already: nothing is taken again, and each byte is in one file. Sizes
# are exact where there are records of a size, and lines are whole.
head -c 10000000 /dev/urandom > in
seq -f 'line %g of some length or another' 200000 > lines
for how in writes:0 188:188 line:line; do
	for option in "" "&append=1"; do
		rm -rf r
		mkdir r
		mkfifo "$M/c"
		[ ${how#*:} = 0 ] || spfs set "$M/c" record=${how#*:}
		file=in
		[ $how != line:line ] || file=lines
		spfs sink "$M/c" "file:$T/r/%Y?rotate=512K$option" > /dev/null
		year=$(date +%Y)
		echo mine > "r/$year.3"
		cat $file > "$M/c"
		ended c
		[ "$(cat "r/$year.3")" = mine ] || fail "$how$option: what was there is gone"
		rm "r/$year.3"
		joined r | cmp - $file || fail "$how$option: lost or twice"
		[ "$(port "$M/c" 1 .rotations)" = "$(($(count r) - 1))" ] || fail "$(ports "$M/c")"
		[ "$(port "$M/c" 1 .file)" = "$T/$(find r -type f | sort -V | tail -n 1)" ] || fail "its last file: $(ports "$M/c")"
		[ "$(count r)" -ge 4 ] || fail "$how$option: $(ls -l r)"
		exact=0 # (where the next file is not open within a second, the old one has some more)
		for f in $(find r -type f | sort -V | head -n -1); do
			size=$(stat -c %s $f)
			[ $size -ge 524288 ] || fail "$how$option: $f has $size"
			[ $how != 188:188 ] || [ $((size % 188)) = 0 ] || fail "$f has $size"
			[ $how != line:line ] || [ "$(tail -c 1 $f)" = "" ] || fail "$f ends within a line"
			[ $size -ge 524476 ] || exact=$((exact + 1)) # (a record or a line)
		done
		[ $how = writes:0 ] || [ $exact -gt 0 ] || fail "$how$option: $(ls -l r)"
		rm "$M/c"
	done
done

# Each begins with the prologue, by value or the stream's own, and what follows that is cut where it would be without. A stream
# that comes back has its own. One that is longer than a file is to be leaves room for something, and no file has it alone.
printf 'HE\0AD' > header
head -c 65536 /dev/urandom > long
head -c 5000000 in > half
head -c 20000 in > short
bodies() { # bodies DIR LED: of each file what comes behind its first LED bytes, which are those of the file header
	for f in $(files_by_name "$1"); do
		head -c "$2" "$f" | cmp - <(head -c "$2" header) || fail "$f has another beginning"
		tail -c +$(($2 + 1)) "$f"
	done
}
files_by_name() { find "$1" -type f | sort -V; }
whole_records() {
	for f in $(files_by_name r | head -n -1); do
		[ $((($(stat -c %s "$f") - $1) % 188)) = 0 ] || fail "$f has $(stat -c %s "$f")"
	done
}
for option in "" "&append=1"; do
	rm -rf r
	mkdir r
	mkfifo "$M/c"
	spfs set "$M/c" record=188 prologue=@header
	spfs sink "$M/c" "file:$T/r/%Y?rotate=512K$option" > /dev/null
	cat half > "$M/c"
	ended c
	[ "$(count r)" -ge 5 ] && [ "$(count r)" -le 10 ] || fail "$(ls -l r)"
	bodies r 5 | cmp - half || fail "a prologue by value$option: lost or twice"
	whole_records 5

	rm -rf r
	mkdir r
	spfs set "$M/c" prologue=first:376
	spfs sink "$M/c" "file:$T/other" > /dev/null # (of another stream)
	cat short > "$M/c"
	wait_until 60 state "$M/c" 2 done
	spfs sink "$M/c" "file:$T/r/%Y?rotate=512K$option" > /dev/null
	cat half > "$M/c"
	wait_until 60 state "$M/c" 3 done
	cp header kept
	head -c 376 half > header
	{ cat header; bodies r 376; } | cmp - half || fail "a stream's own$option: lost or twice"
	mv kept header
	whole_records 0

	rm -rf r
	mkdir r
	cp header kept
	cp long header
	spfs set "$M/c" prologue=@header
	spfs sink "$M/c" "file:$T/r/%Y?rotate=8K$option" > /dev/null
	cat short > "$M/c"
	wait_until 60 state "$M/c" 4 done
	bodies r 65536 | cmp - short || fail "a long one$option: lost or twice"
	whole_records 65536
	[ "$(count r)" -gt 1 ] || fail "$(ls -l r)"
	[ -z "$(find r -size 65536c)" ] || fail "there is nothing behind it: $(ls -l r)"
	mv kept header
	rm "$M/c"
done
# ... also of a sink that comes when the writer has gone, by value and the stream's own; of one that still writes a stream when the
# next has begun, which has another; and where the name of its tap has gone.
anew() {
	rm -rf r
	mkdir r
	mkfifo "$M/c"
	[ $# = 0 ] || spfs set "$M/c" "$@"
}
for own in @header first:188; do
	anew record=188 prologue=$own
	ln "$M/c" "$M/t"
	cat half > "$M/c" & writer=$!
	spfs sink "$M/t" "file:$T/most" > /dev/null
	wait $writer
	wait_until 60 state "$M/c" 1 done
	rm "$M/t"
	ln "$M/c" "$M/t"
	head -c 800000 half > some
	cat some > "$M/c"
	spfs sink "$M/t" "file:$T/r/%Y?rotate=64K" > /dev/null
	wait_until 60 state "$M/c" 2 done
	cp header kept
	[ $own = @header ] || head -c 188 some > header
	led=$(stat -c %s header)
	{ [ $own = @header ] || cat header; bodies r "$led"; } | cmp - some || fail "late, $own: lost or twice"
	whole_records $((led % 188))
	[ "$(count r)" -gt 5 ] || fail "$(ls -l r)"
	mv kept header
	rm "$M/t" "$M/c"
done
anew prologue=first:4
ln "$M/c" "$M/t" # (so that the second writer is let in, though the sink were through)
spfs set "$M/t" idle=discard
spfs sink "$M/c" "file:$T/r/%Y?rotate=64K&depth=16M&rate=2M" > /dev/null
{ printf AAAA; head -c 3000000 /dev/zero; } > "$M/c"
{ printf BBBB; head -c 10000 /dev/zero; } > "$M/c"
ended c
for f in $(files_by_name r); do [ "$(head -c 4 "$f")" = AAAA ] || fail "$f has the next one's: $(head -c 4 "$f")"; done
[ "$(count r)" -gt 10 ] || fail "$(ls -l r)"
rm "$M/t" "$M/c"
anew record=188 prologue=@header
ln "$M/c" "$M/t"
spfs sink "$M/t" "file:$T/r/%Y?rotate=64K" > /dev/null
spfs set "$M/t" rate=2M
head -c 800000 half > some
exec 5> "$M/c"
cat some >&5
wait_until 20 test -s "r/$year" # (before, there is nothing that could be a beginning)
rm "$M/t"
wait_until 60 state "$M/c" 1 done
exec 5>&-
whole_records 5
bodies r 5 > got
cmp got <(head -c "$(stat -c %s got)" some) || fail "its name has gone: it is no beginning"
rm "$M/c"

# Told to go on in the middle of its beginning, it does so behind that; one longer than a file costs no call a byte.
anew prologue=first:8
spfs sink "$M/c" "file:$T/r/f%Y?rotate=1M" > /dev/null
exec 5> "$M/c"
printf ABCD >&5
has_some() { [ "$(cat "$(files_by_name r | head -n 1)")" = "$1" ]; }
wait_until 20 has_some ABCD
timeout 20 spfs reopen "$M/c" & reopen=$!
printf EFGHdata1 >&5
wait $reopen || true
wait_until 20 has_some ABCDEFGHdata1
spfs reopen "$M/c"
printf data2 >&5
exec 5>&-
ended c
[ "$(cat $(files_by_name r | tail -n 1))" = ABCDEFGHdata2 ] || fail "$(head -c 100 r/*)"
rm "$M/c"
cp long kept
anew record=line prologue=@kept
spfs sink "$M/c" "file:$T/r/%Y?rotate=4K" > /dev/null
echo hi > "$M/c"
ended c
[ "$(count r)" = 1 ] || fail "$(ls -l r)"
[ "$(port "$M/c" 1 .pages_ref)" -lt 100 ] || fail "a call a byte: $(ports "$M/c")"
rm "$M/c"

# Several who ask at once for the next one have the same.
anew prologue=@header
spfs sink "$M/c" "file:$T/r/%Y?rotate=1M" > /dev/null
exec 5> "$M/c"
echo one >&5
pids=
for i in 1 2 3 4 5 6; do timeout 20 spfs reopen "$M/c" & pids+=" $!"; done
for pid in $pids; do wait $pid || fail "who asked with others"; done
exec 5>&-
ended c
[ "$(count r)" -le 3 ] || fail "files with a prologue alone: $(ls -l r)"
rm "$M/c"

# By the clock a second has one file, whatever comes at its beginning.
anew
spfs sink "$M/c" "file:$T/r/%s?rotate=1s" > /dev/null
timeout 60 /usr/bin/python3 - "$M/c" << 'END'
import os, sys, time
fd = os.open(sys.argv[1], os.O_WRONLY)
end = time.time() + 4
while time.time() < end or len(os.listdir("r")) < 3:
    os.write(fd, b"x" * 64)
    time.sleep(0.0005)
END
ended c
[ -z "$(find r -name '*.*')" ] || fail "two of a second: $(ls -l r)"
[ "$(count r)" -ge 3 ] || fail "$(ls -l r)"
rm "$M/c"

mkfifo "$M/c"
spfs set "$M/c" prologue=@header
spfs sink "$M/c" "file:$T/plain" > /dev/null
exec 5> "$M/c"
echo one >&5
has_one() { [ "$(wc -c < plain)" = 9 ]; }
wait_until 20 has_one
mv plain plain.1
spfs reopen "$M/c"
echo two >&5
exec 5>&-
ended c
cmp plain.1 <(cat header; echo one) || fail "before the reopening"
cmp plain <(cat header; echo two) || fail "reopened"
rm "$M/c"

# By time: each file has what came in its second, an idle channel makes none, and keep= leaves the last ones and what is not its own.
mkdir t
mkfifo "$M/c"
spfs sink "$M/c" "file:$T/t/log %H%%%M%%%S?rotate=1s&keep=2" > /dev/null
[ "$(count t)" = 1 ] || fail "$(ls t)"
sleep 2.2 # it is idle, so nothing can be waited for
[ "$(count t)" = 1 ] || fail "an empty file was followed by another: $(ls t)"
touch "t/log 00%00%00" t/other
exec 5> "$M/c"
for i in 1 2 3 4 5; do
	echo "part $i" >&5
	there() { grep -rqx "part $i" t; }
	wait_until 20 there
	sleep 1.1
done
five() { [ "$(count t)" = 5 ]; }
wait_until 20 five # two, the present one, and two that are not its own
sleep 1.5
[ "$(count t)" = 5 ] || fail "an idle one went on: $(ls t)"
for i in 3 4 5; do there || fail "part $i is gone"; done
[ "$(grep -rlx 'part [1-5]' t | xargs -d '\n' -n 1 cat | wc -l)" = 3 ] || fail "$(grep -r . t)"
[ -e "t/log 00%00%00" ] || fail "another's file is gone"
# One of them that is somebody else's by now stays, as does what was moved away.
first=$(port "$M/c" 1 .file)
echo "last one" >&5
wait_until 20 grep -rqx 'last one' t
exec 5>&-
ended c
rm "$M/c"

# What has been exchanged is not removed.
mkdir k
mkfifo "$M/c"
spfs sink "$M/c" "file:$T/k/%Y?rotate=4K&keep=1" > /dev/null
exec 5> "$M/c"
kept() { [ "$(joined k | wc -c)" = "$1" ]; }
part() { head -c 4096 /dev/zero >&5; }
year=$(date +%Y)
part
wait_until 20 kept 4096
mv "k/$year" k/moved
cp k/moved "k/$year"
part
wait_until 20 kept 12288
part
wait_until 20 kept 16384
log_has "k/$year is another file by now, and stays"
part
wait_until 20 test ! -e "k/$year.1"
wait_until 20 test -s "k/$year.3"
[ "$(ls k)" = "$(printf '%s\n' "$year" "$year.2" "$year.3" moved)" ] || fail "$(ls k)"
# spfs reopen begins the next one; of an empty one it does not.
spfs reopen "$M/c"
last=$(port "$M/c" 1 .file)
[ -e "$last" ] && [ ! -s "$last" ] || fail "no new file: $(ls -l k)"
spfs reopen "$M/c"
port_is c .file "$last" || is_root || fail "another one"
exec 5>&-
ended c
rm "$M/c"

# A folder that goes: the old file goes on, it is said once, and once there is one again it is the next.
mkdir g
mkfifo "$M/c"
spfs set "$M/c" record=3000
spfs sink "$M/c" "file:$T/g/%Y?rotate=4K&retry=1" > /dev/null
exec 5> "$M/c"
part
wait_until 20 test -s g/$year
exec 6< g/$year
mv g gone
for i in 1 2 3; do part; done
grown() { [ "$(stat -Lc %s /proc/self/fd/6)" = "$1" ]; }
wait_until 20 grown 16384
sleep 1.2
port_is c .state running || fail "$(ports "$M/c")"
log_written
[ "$(grep -c "no other file, the old one goes on: open $T/g/$year.1: " "$LOG")" = 1 ] || fail "said otherwise than once"
mkdir g
again() { part; [ -e g/$year.1 ]; }
wait_until 20 again
log_has 'there is another file again'
whole() { [ $(($(stat -Lc %s /proc/self/fd/6) % 3000)) = 0 ]; } # the one that went on
wait_until 20 whole
exec 5>&- 6<&-
ended c
rm "$M/c"

# Detached, or killed, in the middle of it: what is not in a file is in the tap.
mkdir d
mkfifo "$M/c"
ln "$M/c" "$M/tap"
spfs sink "$M/tap" "file:$T/d/%Y?rotate=64K" > /dev/null
spfs set "$M/c" rate=4M
cat in > "$M/c" & writer=$!
wait_until 30 test -e d/$year.3
spfs detach "$M/c" 1
{ joined d; timeout 60 cat "$M/tap"; } | cmp - in || fail "lost or twice"
wait $writer

# In the configuration, as it is written elsewhere.
spfs_unmount
mkdir conf
printf '[channel log]\nsink = file:%s/conf/log-%%Y%%%%?rotate=1h&keep=3\n' "$T" > "$T/spfs.conf"
spfs_mount -o config="$T/spfs.conf"
wait_until 20 test -e "conf/log-$year%"
finish
