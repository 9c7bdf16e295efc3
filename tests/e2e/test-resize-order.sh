# The size of a ring, set while it is being given another, which takes its time: the last word is the last.
. "$(dirname "$0")/harness.sh"
need_root "a daemon that may look at descriptors"
! sanitized || skip "a sanitizer must be loaded first"
export SLOW_RESIZE=$T/slow
LD_PRELOAD=$BUILD/tests/e2e/libslow-resize.so spfs_mount
cd "$M"
mkfifo ch
exec 5<> ch
for first in 128K 1M; do
	touch "$SLOW_RESIZE"
	spfs set ch size=$first & setting=$!
	begun() { [ ! -e "$SLOW_RESIZE" ]; }
	wait_until 20 begun
	spfs set ch size=512K
	wait $setting
	got=$(/usr/bin/python3 -c "import fcntl; print(fcntl.fcntl(5, 1032))")
	[ "$got" = 524288 ] || fail "$first was set before 512K, and is what the ring has: $got"
	[ "$(getfattr --only-values -n spfs.size ch)" = 524288 ]
done
exec 5>&-

# Two that are refused, one while the other is on its way: the size is what it was.
size_of() { /usr/bin/python3 -c "import fcntl; print(fcntl.fcntl($1, 1032))"; }
mkfifo full
exec 5<> full
spfs set full size=1M
head -c 600000 /dev/zero >&5
touch "$SLOW_RESIZE"
spfs set full size=128K 2> /dev/null & setting=$!
wait_until 20 begun
! spfs set full size=256K 2> /dev/null || fail "a ring that holds more"
! wait $setting || fail "a ring that holds more"
head -c 600000 <&5 > /dev/null
exec 5>&-
exec 5<> full
resized() { [ "$(size_of 5)" != 65536 ]; }
wait_until 20 resized
[ "$(size_of 5)" = 1048576 ] || fail "its size was refused, and it has it: $(size_of 5)"
exec 5>&-

# Many rings that are opened at once, more than are looked at at the same time, while one look takes long: each has its size.
touch "$SLOW_RESIZE"
timeout 60 /usr/bin/python3 - << 'PY' || fail "not each ring has its size"
import fcntl, os, time
rings = []
for i in range(50):
    os.mkfifo(f"of.{i}")
    os.setxattr(f"of.{i}", "spfs.size", b"128K")
for i in range(50):
    rings.append(os.open(f"of.{i}", os.O_RDWR))
end = time.monotonic() + 30
while any(fcntl.fcntl(fd, 1032) != 131072 for fd in rings):
    assert time.monotonic() < end, [fcntl.fcntl(fd, 1032) for fd in rings]
    time.sleep(0.02)
PY
log_written
! grep "its ring, just opened" "$LOG" || fail "one was refused"
cd /
finish
