# spfs.size of a channel without taps: the ring is that of who has it open.
. "$(dirname "$0")/harness.sh"
[ "$(id -u)" = 0 ] || { echo "skipped: needs root's daemon, to look at descriptors"; exit 0; }
spfs_mount
cd "$M"
size() { getfattr --only-values -n spfs.size "$1" 2> /dev/null; }
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

# A ring beyond what the kernel allows: what is granted.
mkfifo big
exec 6<> big
setfattr -n spfs.size -v 1G big
[ "$(size big)" = "$(true_size 6)" ] && [ "$(true_size 6)" -ge 65536 ] || fail "$(size big), $(true_size 6)"
exec 6>&-
cd /
finish
