# spfs.size of a channel without taps: the ring is that of who has it open.
. "$(dirname "$0")/harness.sh"
need_root "a daemon that may look at descriptors"
spfs_mount
cd "$M"
size() { getfattr --only-values -n spfs.size "$1" 2> /dev/null; }
log_says() { grep -q -- "$1" "$LOG"; }
# true_size FD: of the shell's own descriptor
true_size() { /usr/bin/python3 -c "import fcntl, sys; print(fcntl.fcntl(int(sys.argv[1]), 1032))" "$1"; }

mkfifo ch
[ "$(size ch)" = 65536 ] || fail "a ring of $(size ch)"
exec 4<> ch
spfs set ch size=1M
[ "$(true_size 4)" = 1048576 ] || fail "the ring that is open has $(true_size 4)"
[ "$(size ch)" = 1048576 ] || fail "it is told as $(size ch)"
setfattr -n spfs.size -v 5000 ch # what is granted is told, not what was asked for
[ "$(true_size 4)" = 8192 ] && [ "$(size ch)" = 8192 ] || fail "granted $(true_size 4), told $(size ch)"
setfattr -n spfs.size -v 256K ch
head -c 100000 /dev/zero >&4
refuse 'busy' setfattr -n spfs.size -v 64K ch
refuse 'holds more than that' spfs set ch size=64K
log_has '/ch: set size: the ring holds more'
[ "$(size ch)" = 262144 ] || fail "changed to $(size ch)"
[ "$(head -c 100000 <&4 | wc -c)" = 100000 ] || fail "bytes are lost"
setfattr -n spfs.size -v 64K ch
[ "$(true_size 4)" = 65536 ] || fail "the empty ring did not shrink"

# Another user's, who has it open for reading alone; nobody waits, or is woken, for that.
mkfifo -m 666 other
as_user cat other > /dev/null & # waits in open(2) for a writer
waiting=$!
setfattr -n spfs.size -v 128K other
[ "$(size other)" = 131072 ] || fail "not remembered: $(size other)"
exec 5> other
# (open(2) has returned, so both are there)
setfattr -n spfs.size -v 512K other
[ "$(true_size 5)" = 524288 ] || fail "the ring that another has open: $(true_size 5)"
exec 5>&- 4>&-
wait $waiting

# Nobody has it open: the next ring gets the size, and the one after it, and so it goes while it is plain.
has_size() { [ "$(true_size "$1")" = "$2" ]; }
mkfifo later
spfs set later size=256K
for _ in 1 2; do
	exec 5<> later
	wait_until 30 has_size 5 262144
	exec 5>&-
done
# Many open it in a short time; the last one's ring has it too.
for _ in $(seq 200); do exec 5<> later 5>&-; done
exec 5<> later
wait_until 30 has_size 5 262144
exec 5>&-
# With a tap the daemon reads it, and the ring has its size by that; without it again, as before.
ln later tap
spfs set later size=128K
rm tap
exec 5<> later
wait_until 30 has_size 5 131072
[ "$(size later)" = 131072 ] || fail "it is told as $(size later)"
exec 5>&-
# What a ring holds by then is not lost.
spfs set later size=16K
# (once more, where the daemon has looked before there was so much in it)
filled() { exec 5<> later && dd if=/dev/zero bs=60000 count=1 oflag=nonblock status=none >&5; }
wait_until 30 filled
exec 4<> later # (so that it is looked at once more)
wait_until 30 log_says '/later: its ring, just opened'
[ "$(head -c 60000 <&5 | wc -c)" = 60000 ] || fail "bytes are lost"
exec 4>&- 5>&-
# What the daemon keeps for a later reader is in a ring of that size.
echo kept > "$T/kept"
spfs source later "file:$T/kept" --wait > /dev/null
[ "$(size later)" = 16384 ] || fail "what is kept is in a ring of $(size later)"
[ "$(cat later)" = kept ] || fail "what was kept is lost"

# Set while what an opening has asked for is still under way: the last word is the setting's. Many at once, because the
# openings of a short time are dealt with together, and so those of this are over when the last ring but one has its size.
timeout 100 /usr/bin/python3 - << 'PY' || fail "a size set meanwhile is undone"
import fcntl, os, time
def size(fd):
    return fcntl.fcntl(fd, 1032)
def opened(name):
    fd = os.open(name, os.O_RDWR)
    end = time.monotonic() + 20
    while size(fd) != 262144:
        assert time.monotonic() < end, f"a ring of {size(fd)}"
        time.sleep(0.005)
    os.close(fd)
rings = []
for i in range(100):
    name = f"set{i}"
    os.mkfifo(name)
    os.setxattr(name, "spfs.size", b"128K")
    rings.append(os.open(name, os.O_RDWR))
    os.setxattr(name, "spfs.size", b"512K")
os.mkfifo("last")
os.setxattr("last", "spfs.size", b"256K")
for _ in range(2):
    opened("last")
undone = [f"{i}: {size(fd)}" for i, fd in enumerate(rings) if size(fd) != 524288]
assert not undone, f"{len(undone)} of {len(rings)}: {undone[:5]}"
PY

# A ring beyond what the kernel allows: what is granted.
mkfifo big
exec 6<> big
setfattr -n spfs.size -v 1G big
[ "$(size big)" = "$(true_size 6)" ] && [ "$(true_size 6)" -ge 65536 ] || fail "$(size big), $(true_size 6)"
exec 6>&-
cd /
finish
