# Who has a channel open is told by what is open, not by its path: in a mount namespace of his own anybody has what he likes
# at the path of any channel. And what he has there is not even touched, for it may hang.
. "$(dirname "$0")/harness.sh"
need_root "to be somebody else, and a daemon that may look at descriptors"
programs_for_all "$BUILD"/cmd/spfs "$BUILD"/tests/e2e/hanging-file
holders=()
systems=()
at_end() { umount -l "$T/h" 2> /dev/null; }
spfs_mount
cd "$M"
chmod 777 "$M"

cat > "$T/open.py" << 'END'
import os, signal, sys
name, count = sys.argv[1], int(sys.argv[2])
fds = [os.open(name, (os.O_RDONLY if "reads" in sys.argv else os.O_RDWR) | os.O_NONBLOCK) for _ in range(count)]
print("open", flush=True)
signal.pause()
END
# opened COMMAND...: it is left alone with what it has opened, and says so.
opened() {
	rm -f "$T/opened" # what the last one said
	"$@" > "$T/opened" & holders+=($!)
	wait_until 30 grep -q open "$T/opened"
}
release() {
	local p
	for p in "${holders[@]}" "${systems[@]}"; do
		kill -9 $(family "$p") 2> /dev/null || true
		wait "$p" 2> /dev/null || true
	done
	holders=()
	systems=()
}
# aside WAY SCRIPT ARGUMENTS...: in a mount namespace of his own, which he has made without any right, or by root's, or in a copy.
aside() {
	local way=$1
	shift
	case $way in
	his) as_user unshare -Urm --propagation private bash -ec "$@" ;;
	roots) unshare -m --propagation private bash -ec "$@" ;;
	esac
}
stat_is() { spfs stat --json "$M/$1" | jq -e "$2" > /dev/null; } # stat_is CHANNEL FILTER

# Before there are processes of a higher number.
fake='mount -t tmpfs none "$0"; mkfifo "$0/$1"; exec /usr/bin/python3 "$2" "$0/$1" 20'
# His own channel, or the tap that he may read, in the place of another.
moved='mount --bind "$0/$3" "$0/$1"; exec /usr/bin/python3 "$2" "$0/$1" 20 "${@:4}"'

mkfifo -m 600 secret teed packets
mkfifo -m 644 shared
ln teed teed.tap
ln shared shared.tap
as_user mkfifo his
ways=roots
! as_user unshare -Urm true 2> /dev/null || ways="his roots"

for way in $ways; do
	for name in secret teed packets; do
		opened aside "$way" "$fake" "$M" $name "$T/open.py"
		[ "$way" = roots ] || opened aside "$way" "$moved" "$M" $name "$T/open.py" his
	done
	[ "$way" = roots ] || opened aside "$way" "$moved" "$M" shared "$T/open.py" shared.tap reads
	# Whoever has it open has a higher number than all of them, and so comes last.
	coproc REAL { exec /usr/bin/python3 -c 'import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
print("open", flush=True)
for line in sys.stdin:
    print(fcntl.fcntl(fd, 1032), flush=True)' "$M/secret"; }
	real=$REAL_PID
	from=${REAL[0]}
	to=${REAL[1]}
	read -r _ <&"$from"
	wait_until 30 stat_is secret '.readers == 1 and .writers == 1' # (by a scan that has seen all of them)
	for name in teed packets; do
		stat_is $name '.readers == 0 and .writers == 0 and .foreign_readers == 0' ||
			fail "fakes count: $(spfs stat --json $name)"
	done
	for name in teed shared; do
		stat_is $name '.readers == 0 and .foreign_readers == 0' || fail "fakes count: $(spfs stat --json $name)"
		! spfs stat "$M/$name" | grep FOREIGN || fail "a foreign reader that is none"
	done
	[ "$way" = roots ] || wait_until 30 stat_is shared '.taps[0].readers == 20'
	spfs set packets packets=1 || fail "a fake is in the way"
	spfs set packets packets=0
	for size in 262144 131072; do
		spfs set secret size=$size
		echo >&"$to"
		read -r granted <&"$from"
		[ "$granted" = $size ] || fail "set to $size, the ring has $granted"
	done
	exec {to}>&-
	wait $real
	release
done
! grep 'beside its taps' "$LOG" || fail "a reader that is none was told of"

# ---- what is the same, in another place

mkdir sub
mkfifo sub/far
copy='exec /usr/bin/python3 "$2" "$0/$1" 1'
bound='mount --bind "$0/sub" "$0/sub"; exec /usr/bin/python3 "$2" "$0/$1" 1'
for way in "$copy" "$bound"; do
	opened aside roots "$way" "$M" sub/far "$T/open.py"
	wait_until 30 stat_is sub/far '.readers == 1 and .writers == 1'
	refuse "has the channel open" spfs set sub/far packets=1
	spfs set sub/far size=256K
	[ "$(spfs get sub/far | grep -c 256K)" = 1 ] || fail "a ring of another size: $(spfs get sub/far)"
	release
done
opened aside roots "$copy" "$M" teed "$T/open.py"
wait_until 30 stat_is teed '.foreign_readers == 1'
log_has '/teed: process [0-9]* can read the origin beside its taps'
release

# ---- what hangs when the daemon closes it

mkfifo -m 666 close.it
hang='hanging-file "$0" > "$3" & until grep -q mounted "$3"; do sleep 0.02; done; exec /usr/bin/python3 "$2" "$0/$1" 20'
opened aside roots "$hang" "$M" close.it "$T/open.py" "$T/hanging"
exec 6<> close.it
# shellcheck disable=SC2034 # LATE_PID is used
coproc LATE { exec sleep 100; } # (this shell has a lower number)
late=$LATE_PID
exec 6>&-
for i in $(seq 12); do
	size=$((65536 << i % 2))
	spfs set close.it size=$size || fail "what hangs has used up the looks"
done
wait_until 30 stat_is close.it '.readers == 1'
release
kill $late
wait $late || true

# So it is with who has had it open, and has something else there by the time that the daemon takes a copy.
mkdir "$T/h"
hanging-file "$T/h" > "$T/hanging" & systems+=($!)
wait_until 20 grep -q mounted "$T/hanging"
cat > "$T/swap.py" << 'END'
import os, sys
real, fake = (os.open(name, os.O_RDWR) for name in sys.argv[1:])
last = os.dup2(real, 20)
print("open", flush=True)
while True: # the first of them that the daemon comes to is the one that changes
    os.dup2(fake, real)
    os.dup2(last, real)
END
opened as_user /usr/bin/python3 "$T/swap.py" "$M/close.it" "$T/h/close"
for i in $(seq 100); do
	spfs set close.it size=$((65536 << i % 2)) || fail "what hangs has used up the looks, at $i"
done
release
cd /
finish
