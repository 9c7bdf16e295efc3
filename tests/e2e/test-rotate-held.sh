# Rotation on file systems that are full, hang, or are slow to close: nothing is lost, the worker and others go on, and no
# descriptor or file is left.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
. "$(dirname "$0")/hanging.sh"
need_root "to mount small file systems, and to be somebody else"
if [ -z "${SPFS_NAMESPACE:-}" ]; then
	SPFS_NAMESPACE=1 exec unshare -m --propagation private bash "$0" "$@"
fi
programs_for_all "$BUILD/cmd/spfs" "$BUILD/tests/e2e/hanging-file"
spfs_mount -o workers=1
cd "$T"
joined() { find "$1" -type f | sort -V | xargs -r -d '\n' cat; }
year=$(date +%Y)
head -c 3000000 /dev/urandom > in

# Full: with retry the sink waits for room, and goes on from file to file when there is some.
mkdir small
mount -t tmpfs -o size=1M none small
mkfifo "$M/c"
spfs sink "$M/c" "file:$T/small/%Y?rotate=256K&retry=1" > /dev/null
spfs set "$M/c" record=4096
cat in > "$M/c" & writer=$!
wait_until 30 state "$M/c" 1 retrying
[ "$(ls small | wc -l)" = 5 ] || fail "$(ls -l small)"
mount -o remount,size=8M small
wait $writer
wait_until 30 state "$M/c" 1 done
joined small | cmp - in || fail "lost or twice"
rm "$M/c"
rm small/*

# ... also where there is none for the prologue that a file begins with.
mount -o remount,size=1M small
mkfifo "$M/c"
printf 'HE\0AD' > header
spfs set "$M/c" record=4096 prologue=@header
spfs sink "$M/c" "file:$T/small/%Y?rotate=256K&retry=1" > /dev/null
exec 5> "$M/c"
head -c 786432 in >&5 # three whole files
three() { [ "$(cat small/* | wc -c)" = 786447 ]; }
wait_until 30 three
dd if=/dev/zero of=small/fill bs=4096 status=none 2> /dev/null && fail "it is not full"
tail -c +786433 in >&5 & writer=$!
exec 5>&-
wait_until 30 state "$M/c" 1 retrying
mount -o remount,size=8M small
wait $writer
wait_until 30 state "$M/c" 1 done
rm small/fill
find small -type f | sort -V | while read -r f; do
	head -c 5 "$f" | cmp - header || fail "$f: the prologue"
	tail -c +6 "$f"
done | cmp - in || fail "lost or twice"
rm "$M/c"
rm small/*

# Full for names: the next file cannot be made, and the old one goes on.
mount -o remount,size=8M,nr_inodes=3 small
mkfifo "$M/c"
spfs sink "$M/c" "file:$T/small/%Y?rotate=256K" > /dev/null
cat in > "$M/c"
wait_until 30 state "$M/c" 1 done
joined small | cmp - in || fail "lost or twice"
log_written
[ "$(grep -c 'the old one goes on: open.*No space' "$LOG")" = 1 ] || fail "not said once"
rm "$M/c"
umount small

# Of the attacher's, not of the daemon's: others may not write there, and what is removed is his to remove.
mkdir -m 777 his
as_user mkfifo "$M/u" 2> /dev/null || { chmod 777 "$M" && as_user mkfifo "$M/u"; }
as_user spfs sink "$M/u" "file:$T/his/%Y?rotate=4K&keep=1&create=600" > /dev/null
exec 5> "$M/u"
part() { head -c 4096 /dev/zero >&5; }
there() { [ -s "his/$1" ]; }
for n in $year $year.1; do
	part
	wait_until 20 there $n
done
[ "$(stat -c '%u %a' his/$year.1)" = "65534 600" ] || fail "$(ls -l his)"
chmod 1755 his # only its owner makes and removes there
part
wait_until 20 grep -q 'the old one goes on: open.*Permission denied' "$LOG"
[ -s his/$year ] || fail "it was removed with the daemon's rights"
chmod 777 his
parts() { part; compgen -G "his/$year.[2-9]*" > /dev/null; } # (one makes room for the next)
wait_until 20 parts
gone_file() { [ ! -e his/$year ]; }
wait_until 20 gone_file
exec 5>&-
wait_until 30 state "$M/u" 1 done
rm "$M/u"

# One whose folder begins to hang between two files: the old file has it all, others go on, and a detach is not held up by
# what is being opened.
hanging_begin
mkdir way.d
ln -s way.d way
mkfifo "$M/c" "$M/other"
spfs sink "$M/c" "file:$T/way/never%%%Y?rotate=4K" > /dev/null
fds=$(daemon_fds)
fds_are_back() { [ "$(daemon_fds)" -le "$fds" ]; }
exec 5> "$M/c"
part
wait_until 20 test -s way.d/never%$year
rm way
ln -s h way
timeout 20 head -c 2000000 in >&5
spfs sink "$M/other" "file:$T/other" > /dev/null
timeout 20 cp in "$M/other"
wait_until 20 cmp -s in other
exec 5>&-
wait_until 30 state "$M/c" 1 done
[ "$(stat -c %s way.d/*)" = 2004096 ] || fail "$(ls -l way.d)"
wait_until 20 fds_are_back

rm way # what still looks there does not find the next one
hanging_fail # (who looks there in vain holds the folder)
hanging_begin

# One whose file before the present one is never through its sync: there is no third, and the second has it all; others go on, and
# the sink is not told to be done.
rm "$M/c"
mkfifo "$M/c"
spfs sink "$M/c" "file:$T/h/sync%Y?rotate=4K" > /dev/null
exec 5> "$M/c"
for i in 1 2 3 4 5 6 7 8; do part; done
written() { [ "$(port "$M/c" 1 .bytes)" = 32768 ]; }
wait_until 20 written
[ "$(port "$M/c" 1 .rotations)" = 1 ] || fail "$(ports "$M/c")"
timeout 20 cp in "$M/other" & copy=$!
spfs sink "$M/other" "file:$T/other2" > /dev/null
wait $copy
wait_until 20 cmp -s in other2
exec 5>&-
held() { [ "$(spfs stat --json "$M/c" | jq .writers)" = 0 ]; }
wait_until 20 held
state "$M/c" 1 running || fail "$(ports "$M/c")"
hanging_fail
gone_port() { ! state "$M/c" 1 running; }
wait_until 20 gone_port
wait_until 20 fds_are_back

# Killed in the middle of it, again and again: what the files have is a beginning of the stream, whole and in order.
for round in 1 2 3; do
	rm -rf killed
	mkdir killed
	mkfifo "$M/k"
	spfs set "$M/k" rate=20M record=4096
	spfs sink "$M/k" "file:$T/killed/%Y?rotate=64K" > /dev/null
	{ timeout 60 cat in in in in > "$M/k" || true; } 2> /dev/null & writer=$!
	wait_until 30 test -e killed/$year.$((5 * round))
	kill -9 "$DAEMON"
	wait_until 20 gone "$DAEMON"
	wait $writer || true
	umount -l "$M"
	joined killed > got
	cmp got <(cat in in in in | head -c "$(stat -c %s got)") || fail "it is no beginning"
	spfs_mount -o workers=1
done
finish
