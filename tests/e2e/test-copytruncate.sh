# logrotate's copytruncate leaves no hole in what a sink writes, whether or not it appends.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
. "$(dirname "$0")/hanging.sh"
need_root "logrotate wants its files to be root's"
programs_for_all "$BUILD/cmd/spfs" "$BUILD/tests/e2e/hanging-file"
PATH=$PATH:/usr/sbin
spfs_mount
cd "$T"
has() { [ "$(cat "$1")" = "$2" ]; }

rotate() {
	printf '"%s" {\n\tcopytruncate\n\trotate 3\n}\n' "$T/$1" > conf
	chmod 644 conf
	logrotate -f -s state conf
	[ ! -s "$1" ] || fail "logrotate has not truncated $1"
}

for option in "" "?append=1"; do
	rm -f out*
	mkfifo "$M/c"
	spfs sink "$M/c" "file:$T/out$option" > /dev/null
	exec 5> "$M/c"
	for part in one two three; do
		seq -f "$part %g" 1000 >&5
		wait_until 20 has out "$(seq -f "$part %g" 1000)"
		[ $part = three ] || rotate out
	done
	exec 5>&-
	wait_until 20 state "$M/c" 1 done
	cat out.2 out.1 out | cmp - <(for part in one two three; do seq -f "$part %g" 1000; done) || fail "out$option"
	rm "$M/c"
done
log_has "file:$T/out: was truncated; goes on at its end"

# Where a descriptor stands behind the end of its file is its owner's to say.
mkfifo "$M/c"
python3 - "$M/c" << 'PYTHON'
import os, subprocess, sys
fd = os.open("sparse", os.O_WRONLY | os.O_CREAT)
os.lseek(fd, 10, os.SEEK_SET)
subprocess.run(["spfs", "sink", sys.argv[1], "--fd", str(fd)], check=True, pass_fds=[fd], stdout=subprocess.DEVNULL)
PYTHON
echo end > "$M/c"
wait_until 20 state "$M/c" 1 done
[ "$(stat -c %s sparse)" = 14 ] || fail "a hole of its owner's is gone"
rm "$M/c"

# A file that shows no size has not become shorter.
hanging_begin
mkfifo "$M/c"
spfs sink "$M/c" "file:$T/h/unsized" > /dev/null
exec 5> "$M/c"
told=
for part in one two three; do
	echo $part >&5
	told="$told${told:+ }$part"
	stat "$T/h/unsized" > /dev/null # asks: what the kernel thought of its size is gone
	unsized() { [ "$(timeout 5 cat "$T/h/unsized" | tr '\n' ' ')" = "$told " ]; }
	wait_until 20 unsized
done
exec 5>&-
wait_until 20 state "$M/c" 1 done
hanging_fail
finish
