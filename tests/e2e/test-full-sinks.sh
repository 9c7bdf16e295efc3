# What one user has attached and never gets through, terminals that take nothing and files that do not answer, holds up
# no port of another's on the same worker; nor do his terminals hold up his own.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/hanging.sh"
need_root "to be somebody else"
programs_for_all "$BUILD"/cmd/spfs "$BUILD"/tests/e2e/hanging-file
cp "$HERE/occupier.py" "$T"
PORTS=70
occupier=
spfs_mount -o workers=1
chmod 777 "$M"
mkdir -m 700 "$M/root"
mkdir "$M/shown"
head -c 3000000 /dev/urandom > "$T/in"
chmod 644 "$T/in"
hanging_begin

mkfifo -m 644 "$M/shown/read" # others may open it, and so what is root's is on the same worker
mkfifo -m 666 "$M/shown/write"{1..70}
mkfifo -m 644 "$M/root/sink" "$M/root/source"

occupy() { # HOW CHANNEL...
	local how=$1
	shift
	mkfifo "$T/go"
	rm -f "$T/occupier"
	(cd "$T/h" && exec setpriv --reuid=65534 --regid=65534 --clear-groups /usr/bin/python3 "$T/occupier.py" "$how" \
		$PORTS "$@" < "$T/go" > "$T/occupier" 2>&1) & occupier=$!
	exec 9> "$T/go"
	rm "$T/go"
	wait_until 60 grep -q attached "$T/occupier"
}

leave() {
	exec 9>&-
	wait $occupier || true
}

has_all() { cmp -s "$T/in" "$1"; }
has_ended() { "${@:2}" spfs ports --json "$1" | jq -e 'all(.[]; .state != "running")' > /dev/null; } # has_ended CHANNEL AS...

# By ports of USER's, as whom AS... runs a command.
moves() { # WHAT FOLDER AS...
	local what=$1 dir=$2
	shift 2
	"$@" rm -f "$T/o/out"
	"$@" spfs sink "$dir/sink" "file:$T/o/out" > /dev/null
	"$@" timeout 20 dd if="$T/in" of="$dir/sink" bs=64k 2> /dev/null || fail "$what: nobody takes what is for a file"
	wait_until 20 has_all "$T/o/out"
	wait_until 20 has_ended "$dir/sink" "$@" # else it would take of the next one's
	"$@" spfs source "$dir/source" "file:$T/in" > /dev/null
	"$@" timeout 20 cat "$dir/source" | cmp - "$T/in" || fail "$what: of a file"
}

mkdir -m 777 "$T/o"

# His terminals, on channels of his own: they take none of what his files need.
as_user mkdir "$M/his"
as_user mkfifo "$M/his/terminals" "$M/his/sink" "$M/his/source"
for how in slaves paths; do
	PORTS=40 occupy $how "$M/his/terminals"
	as_user timeout 20 dd if=/dev/zero of="$M/his/terminals" bs=64k count=4 2> /dev/null
	moves "his own, $how" "$M/his" as_user
	leave
	as_user rm "$M/his/terminals"
	as_user mkfifo "$M/his/terminals"
done

# What is his on channels of root's.
for how in slaves masters paths writes sizes; do
	[ $how != sizes ] || PORTS=4
	occupy $how "$M/shown/read"
	for i in 1 2 3; do timeout 20 head -c 300000 /dev/zero > "$M/shown/read"; done
	moves "root's, $how" "$M/root"
	leave
done
PORTS=70
occupy reads "$M/shown/write"{1..70}
moves "root's, reads" "$M/root"
leave

# A terminal that is full for a while: all of it comes, in order.
/usr/bin/python3 - "$M/root" << 'PYTHON'
import os, pty, random, subprocess, sys, time, tty

data = random.Random(1).randbytes(600000)
for how in "slave", "master", "path", "append":
    channel = f"{sys.argv[1]}/{how}"
    os.mkfifo(channel)
    master, slave = pty.openpty()
    tty.setraw(slave)
    passed = {"slave": slave, "master": master}.get(how)
    reads = slave if how == "master" else master
    name = os.ttyname(slave)
    uri = f"file:{name}" + ("?append=1" if how == "append" else "")
    subprocess.run(["spfs", "sink", channel] + (["--fd", str(passed)] if passed else [uri]), check=True,
                   pass_fds=[passed] if passed else [], stdout=subprocess.DEVNULL)
    writer = subprocess.Popen(["dd", "of=" + channel, "bs=8k", "status=none"], stdin=subprocess.PIPE)
    feeder = os.fork()
    if not feeder:
        writer.stdin.write(data)
        writer.stdin.close()
        os._exit(0)
    writer.stdin.close()
    time.sleep(0.3) # so that it has stood for a while
    got = b""
    while len(got) < len(data):
        got += os.read(reads, 65536)
    assert got == data, f"{how}: other bytes"
    assert writer.wait(20) == 0
    os.waitpid(feeder, 0)
    os.close(master)
    os.close(slave)
PYTHON

# The end waits for none of his files, and says what is left of the process. (A sanitizer that looks for leaks wants to stop
# those first that wait in the kernel.)
if ! sanitized; then
	kill "$DAEMON"
	wait_until 30 gone "$DAEMON"
	log_has "threads wait for what users have to end: process $DAEMON is there, and dead, until then"
fi
kill -9 $hanging
wait $hanging || true
hanging=
if ! sanitized; then
	wait_until 20 no_daemon
	DAEMON=
fi
finish
