# A program that dies while another traces it: the kernel says that it has ended, and not how, until that one takes note.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
mkdir "$T/programs"
cp "$HERE/traced.py" "$T/programs/spfs-port-traced"
chmod 755 "$T/programs/spfs-port-traced"
at_end() { pkill -9 -f "^/usr/bin/python3 $T/programs/spfs-port-traced" || :; }
spfs_mount -o programs="$T/programs"
cd "$M"
mkfifo c
ticks() { awk '{ print $14 + $15 }' "/proc/$DAEMON/stat"; }

# Before it is ready, and after; the daemon does not wait for it with all that it has.
before=$(ticks)
refuse "traced: it has ended while it was traced" timeout 20 spfs sink c traced:x
spfs sink c "traced:x?ready=1" > /dev/null
echo x > c
log_has "traced: it has ended while it was traced; 1 bytes are discarded"
sleep 3
[ $(($(ticks) - before)) -lt 150 ] || fail "$(($(ticks) - before)) ticks"
at_end # who traces
wait_until 20 state c 1 failed
wait_until 20 daemon_has close -eq 0
wait_until 20 sh -c "! pgrep -P $DAEMON > /dev/null"

# Such a one does not hold up the daemon's end, and is not said to.
spfs sink c "traced:x?ready=1" > /dev/null
echo x > c
wait_until 20 daemon_has wait -eq 1
cd /
spfs_unmount
! grep "wait for what users have to end" "$LOG" || fail "that is not so"
finish
