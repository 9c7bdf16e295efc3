# The daemon's end while a program is being started: that does not outlive it.
. "$(dirname "$0")/harness.sh"
sanitized && skip "its run-time has to come first"
mkdir "$T/programs"
cat > "$T/programs/spfs-port-deaf" << 'END'
#!/bin/sh
trap '' TERM HUP INT
echo $$ > "$2"
while :; do sleep 1000; done
END
chmod 755 "$T/programs/spfs-port-deaf"
at_end() { pkill -9 -f "^/bin/sh $T/programs/" || :; }
export SLOW_SPAWN=$T/spawned
LD_PRELOAD=$BUILD/tests/e2e/libslow-spawn.so spfs_mount -o programs="$T/programs"
mkfifo "$M/c"
timeout 60 spfs sink "$M/c" "deaf:$T/pid" & attach=$!
wait_until 20 test -s "$T/pid"
[ ! -e "$T/spawned" ] || echo "(too late: the machine has too much to do)"
umount -l "$M"
wait_until 30 gone "$DAEMON"
wait $attach && fail "it is attached" || :
pid=$(cat "$T/pid")
wait_until 30 gone "$pid"
DAEMON=
finish
