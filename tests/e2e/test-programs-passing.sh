# A program that is a port passes what takes long to be closed: nobody waits for that but what is its own, and that is bounded.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
mkdir "$T/programs"
cp "$HERE/passing.py" "$T/programs/spfs-port-passing"
chmod 755 "$T/programs/spfs-port-passing"
spfs_mount -o workers=1 -o programs="$T/programs"
cd "$M"
at_end() { pkill -9 -f "^/usr/bin/python3 $T/programs/spfs-port-passing" || :; } # those of sessions of their own
mkfifo other
ln other other.tap
serves() { # within 20 seconds, on the same worker
	timeout 20 sh -c 'echo hello > other' && [ "$(timeout 20 cat other.tap)" = hello ] || fail "nothing comes through after $1"
}
no_programs() { ! pgrep -P "$DAEMON" > /dev/null; }
port_has() { [ "$(port "$1" 1 .bytes)" = "$2" ]; }
has_passed() { [ -e "$T/$1.done" ] || no_programs; }

# One thread each at most, however much it is.
for what in plain empty fills complaint urgent; do
	mkfifo $what
	spfs sink $what "passing:$what?done=$T/$what.done" > /dev/null
	echo x > $what
	wait_until 30 has_passed "$what"
	serves $what
	wait_until 30 no_programs # they have been heard, and killed
	log_has "$what: .*it has passed "
	daemon_has close -le 5 || fail "$what: $(daemon_threads close) threads"
done

# What is no socket, once it listens: it has failed, though it does not end by itself.
mkfifo late
spfs sink late passing:late > /dev/null
wait_until 30 state late 1 failed
[ "$(port late 1 .error)" = "passing: what it has handed over is no stream socket" ] || fail "$(ports late)"

# What it has handed over, and does not hear of any more: at the end of the stream, and where it is taken away.
mkfifo handed kept
spfs sink handed passing:handed > /dev/null
head -c 200000 /dev/zero > handed
wait_until 30 port_has handed 200000
serves "the end of what was handed over"
timeout 20 spfs detach handed 1 || fail "one that stays"
spfs sink kept passing:kept > /dev/null
{ head -c 16000000 /dev/zero > kept || :; } & writer=$!
port_has_some() { [ "$(port kept 1 .bytes)" -gt 1000000 ]; }
wait_until 30 port_has_some
setsid timeout 100 spfs detach kept 1 &
wait_until 20 no_programs
serves "what was taken away"
kill $writer 2> /dev/null || :
at_end # its peers too
wait_until 30 daemon_has close -eq 0
cd /
spfs_unmount
finish
