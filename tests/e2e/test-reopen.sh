# spfs reopen: what a sink writes goes on in the file that its path names now, with nothing lost or twice, and with the rights of
# who attached it; where that cannot be opened the old file goes on.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
. "$(dirname "$0")/hanging.sh"
need_root "to be somebody else, and for logrotate"
programs_for_all "$BUILD/cmd/spfs" "$BUILD/tests/e2e/hanging-file"
PATH=$PATH:/usr/sbin
spfs_mount
cd "$T"
chmod 777 "$M"
has() { [ "$(cat "$1")" = "$2" ]; }
by_command() { timeout 30 spfs reopen "$@"; }
by_attribute() { timeout 30 setfattr -n spfs.reopen -v "${2:-all}" "$1"; }

# Renamed, then reopened: by both ways, of one sink and of all, appending or not.
for how in by_command by_attribute; do
	for option in "" "?append=1"; do
		rm -f out*
		mkfifo "$M/c"
		spfs sink "$M/c" "file:$T/out$option" > /dev/null
		exec 5> "$M/c"
		echo one >&5
		wait_until 20 has out one
		mv out out.1
		if [ $how = by_command ]; then $how "$M/c" 1; else $how "$M/c"; fi
		[ -e out ] && [ ! -s out ] || fail "no new file"
		echo two >&5
		wait_until 20 has out two
		has out.1 one || fail "$(cat out.1)"
		# Its path names the file that it has: nothing is emptied, nor by somebody else's file there.
		$how "$M/c" 1
		echo three >&5
		wait_until 20 has out "two
three"
		mv out out.2
		echo other > out
		$how "$M/c" 1
		echo four >&5
		exec 5>&-
		wait_until 20 state "$M/c" 1 done
		has out "other
four" || fail "$(cat out)"
		has out.2 "two
three" || fail "$(cat out.2)"
		[ "$(port "$M/c" 1 '"\(.file) \(.rotations)"')" = "$T/out 2" ] || [ "$(port "$M/c" 1 .file)" = null ] || fail "$(ports "$M/c")"
		refuse 'no such port\|No such' $how "$M/c" 1
		rm "$M/c"
	done
done

# What has no path, or no file, is refused; the rest of a channel's sinks go on.
mkfifo "$M/c" "$T/fifo"
exec 6<> "$T/fifo" 7> passed
spfs sink "$M/c" --fd 7 > /dev/null
spfs sink "$M/c" "file:$T/fifo" > /dev/null
spfs sink "$M/c" file:/dev/null > /dev/null
spfs sink "$M/c" "file:$T/plain" > /dev/null
for id in 1 2 3; do
	refuse 'no path that could be opened anew' by_command "$M/c" $id
	refuse 'not supported' by_attribute "$M/c" $id
done
refuse 'no such port' by_command "$M/c" 5
refuse 'Invalid argument' by_attribute "$M/c" x
refuse 'Invalid argument' by_attribute "$M/c" 0
mv plain plain.1
by_command "$M/c"
[ -e plain ] || fail "not opened anew"
exec 6>&- 7>&-
[ "$(port "$M/c" 4 '"\(.file) \(.rotations)"')" = "$T/plain 1" ] || fail "$(ports "$M/c")"
for id in 1 2 3 4; do spfs detach "$M/c" $id; done

# Everywhere, and in a folder.
mkdir "$M/d"
mkfifo "$M/d/x" "$M/y"
spfs sink "$M/d/x" "file:$T/x" > /dev/null
spfs sink "$M/y" "file:$T/y" > /dev/null
rm x y
by_command "$M/d"
[ -e x ] && [ ! -e y ] || fail "of a folder"
by_command "$M"
[ -e y ] || fail "of a mount"
spfs detach "$M/d/x" 1
spfs detach "$M/y" 1

# With the rights of who attached it: neither more, nor those of who asks. Only he may, and root that has its rights.
mkdir -m 777 "$T/his"
as_user mkfifo -m 644 "$M/his"
as_user spfs sink "$M/his" "file:$T/his/f" > /dev/null
as_user mv his/f his/f.1
bare() { setpriv --bounding-set -all --inh-caps -all --ambient-caps -all "$@"; }
other() { setpriv --reuid=65533 --regid=65533 --clear-groups "$@"; }
for who in bare other; do
	refuse 'only who attached' $who spfs reopen "$M/his" 1
	$who spfs reopen "$M/his"
	[ ! -e his/f ] || fail "$who had it opened anew"
done
as_user spfs reopen "$M/his"
[ "$(stat -c %u his/f)" = 65534 ] || fail "whose is it?"
rm his/f
chmod 755 his
refuse 'Permission denied' spfs reopen "$M/his" 1
log_written
[ "$(grep -c "open $T/his/f: Permission denied" "$LOG")" = 1 ] || fail "logged otherwise than once"
spfs detach "$M/his" 1

# What cannot be opened leaves the old file, and nothing is lost: a folder that is gone, and a file system that is full.
mkdir gone small
mkfifo "$M/g"
spfs sink "$M/g" "file:$T/gone/f" > /dev/null
exec 5> "$M/g"
echo one >&5
wait_until 20 has gone/f one
exec 8< gone/f
rm -r gone
refuse 'No such file' by_command "$M/g" 1
refuse 'No such file' by_attribute "$M/g" 1
state "$M/g" 1 running || fail "$(ports "$M/g")"
echo two >&5
exec 5>&-
wait_until 20 state "$M/g" 1 done
has /dev/fd/8 "one
two" || fail "not in the old file: $(cat <&8)"
exec 8<&-

# A folder that does not answer: who asks waits, or is told, and nobody else; what is written goes on in the old file.
hanging_begin
ln -s "$T" way
mkfifo "$M/h" "$M/other"
ln -s "$T/hung" never
spfs sink "$M/h" "file:$T/way/never" > /dev/null
exec 5> "$M/h"
echo one >&5
wait_until 20 has hung one
ln -sfn "$T/h" way
timeout 100 spfs reopen "$M/h" 1 & asks=$!
opens() { daemon_has open -ge 1; }
wait_until 20 opens
echo two >&5
wait_until 20 has hung "one
two"
spfs sink "$M/other" "file:$T/other" > /dev/null
echo well > "$M/other"
wait_until 20 has other well
! gone $asks || fail "it was answered"
kill $asks
wait $asks || true
refuse 'timed out' by_attribute "$M/h" 1
timeout 20 spfs detach "$M/h" 1
exec 5>&-
hanging_fail

# Each of several at once is answered.
mkfifo "$M/two"
spfs sink "$M/two" "file:$T/two" > /dev/null
pids=
for i in 1 2 3 4 5 6 7 8; do
	by_command "$M/two" 1 & pids="$pids $!"
done
for pid in $pids; do wait $pid || fail "one of several"; done

# logrotate itself, line by line while a writer goes on; a line is in one file alone.
rm -f log*
mkfifo "$M/log"
spfs set "$M/log" record=line
spfs sink "$M/log" "file:$T/log" > /dev/null
cat > conf << END
"$T/log" {
	rotate 100
	nocompress
	postrotate
		spfs reopen $M/log
	endscript
}
END
chmod 644 conf
{ for ((i = 0; ; i++)); do
	[ ! -e rotated ] || break
	echo "line $i of it"
done > "$M/log"; } & writer=$!
for i in 1 2 3 4 5; do
	wait_until 30 test -s log
	logrotate -f -s state conf
done
touch rotated
wait $writer
wait_until 60 state "$M/log" 1 done
cat $(ls log.* | sort -t. -k2 -rn) log > all
cmp all <(seq -f 'line %.0f of it' 0 $(($(wc -l < all) - 1))) || fail "lost or twice"
for f in log log.*; do [ ! -s $f ] || [ "$(tail -c 1 $f | od -An -tx1)" = " 0a" ] || fail "$f ends within a line"; done
[ "$(ls log.* | wc -l)" = 5 ] || fail "$(ls)"
finish
