# Who takes the log lets it wait, as any user can bring about at /dev/log: nobody waits for that but the log's thread.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
need_root "a /dev of its own"
chmod 755 "$T"

# ---- a /dev with a syslog of its own, in this mount namespace ----

at_end() {
	umount -lR /dev
	umount -l "$T/dev"
}
mkdir "$T/dev"
mount -t tmpfs -o mode=755 spfs-test "$T/dev"
ln -s /proc/self/fd "$T/dev/fd"
for device in null zero full random urandom tty fuse; do
	touch "$T/dev/$device"
	mount --bind "/dev/$device" "$T/dev/$device"
done
mkdir -m 1777 "$T/dev/shm"
mount --rbind "$T/dev" /dev
coproc SYSLOG { exec /usr/bin/python3 "$HERE/held-syslog.py" "$T/taken"; }
syslog() { # WHAT...
	local answer
	[ $# = 0 ] || echo "$*" >&"${SYSLOG[1]}"
	read -rt 90 -u "${SYSLOG[0]}" answer || fail "no answer from the syslog: $*"
	[ "$answer" != failed ] || fail "the syslog: $*"
}
syslog

answers() {
	timeout 30 stat -c %n "$M" > /dev/null && timeout 30 ls -l "$M" "$M/.spfs" > /dev/null || fail "$*: somebody waits"
}
refused() { refuse 'not supported' as_user timeout 30 setfattr -n "spfs.nonsense-$1" -v x "$M/a"; }
ends() { # WHEN [PID]
	kill "$DAEMON"
	wait_until 60 gone "$DAEMON"
	! mounted || fail "$*: the mount is left"
	DAEMON=
}

# ---- a user fills /dev/log: the start, requests, and what is said then ----

syslog fill
timeout 60 spfsd "$M" || fail "the start waits for the log"
DAEMON=$(find_daemon)
mkfifo -m 666 "$M/a"
refused first
said=$SECONDS
answers "a full /dev/log"
refuse 'serves this mount point already' timeout 60 spfsd "$M"
answers "after another's start"

# More is said than there is room for; what is lost is lost of users' lines alone, and counted.
/usr/bin/python3 - "$M" << 'PY'
import os, sys
m = sys.argv[1]
deep = m + "/d"
os.mkdir(deep)
for _ in range(13):
    deep += "/" + "n" * 250
    os.mkdir(deep)
for uid in range(70001, 70041):
    name = deep + "/of-%d" % uid
    os.mkfifo(name)
    os.chown(name, uid, uid)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        for i in range(50):
            for key, value in ("nonsense", b"x"), ("policy", b"x" * 300), ("source", b"nonsense:"):
                try:
                    os.setxattr(name, "spfs." + key, value)
                    os._exit(1)
                except OSError:
                    pass
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
PY
answers "a full queue"
kill -USR1 "$DAEMON" # of which every line is wanted, and finds room
is_late() { [ $((SECONDS - said)) -ge 3 ]; }
wait_until 60 is_late
syslog take 'channels are asked'
/usr/bin/python3 - "$T/taken" "$DAEMON" << 'PY'
import re, sys
lines = [line.rstrip("\n") for line in open(sys.argv[1], encoding="utf-8")]
ours = [line for line in lines if "spfsd[%s]: " % sys.argv[2] in line]
assert re.search(r"\]: (\[.*\] )?serving /", ours[0]), ours[0]
late = re.compile(r"\]: \[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] .*spfs.nonsense-first")
assert late.search(ours[1]), ours[1]
lost = sum(int(n) for line in ours for n in re.findall(r"(\d+) lines? w\w+ lost here", line))
left_out = sum(int(n) for line in ours for n in re.findall(r"(\d+) more lines? like this", line))
users = sum("of-70" in line and "more line" not in line for line in ours)
print("of 6000 lines", users, "written,", left_out, "left out,", lost, "lost")
assert lost > 0 and users > 500 and users + left_out + lost == 6000, (users, left_out, lost)
assert any(re.search("7000[1-3]", line) for line in ours) # the first ones
assert "lost here" in ours[-2] or "lost here" in ours[-3], ours[-3:]
PY
rm "$T/taken"

# It goes on, with nothing more to be told of.
refused after
syslog take nonsense-after
! grep -q 'lost here' "$T/taken" || fail "told again: $(cut -c1-200 "$T/taken")"
tail -n 1 "$T/taken" | grep -q ']: /a' || fail "no line as it is: $(tail -n 1 "$T/taken")"

# The end is not held up, and who starts it without success neither.
syslog fill
refused last
ends "a full /dev/log"
refuse 'No such file' timeout 60 spfsd "$T/none"

# ---- standard error and the file ----

/usr/bin/python3 - "$T/error" "$T/fifo" << 'PY'
import os, sys
for name in sys.argv[1:]:
    os.mkfifo(name)
PY
exec 5<> "$T/error" 6<> "$T/fifo"
fill_fifo() { # FD
	/usr/bin/python3 - "$1" << 'PY'
import os, sys
fd = os.open("/proc/self/fd/" + sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)
try:
    while True:
        os.write(fd, b"x" * 4095 + b"\n")
except BlockingIOError:
    pass
PY
}
drain() { # FD TEXT: until it has it
	timeout 60 grep -m 1 -- "$2" < "/proc/$$/fd/$1" > /dev/null || fail "it does not say: $2"
}
serve() { # FILE OPTION...: in the foreground, with its standard error there
	spfsd -f "${@:2}" "$M" 2> "$1" & DAEMON=$!
	wait_until 60 mounted
	answers "its start"
	mkfifo -m 666 "$M/a"
	refused foreground
	answers "what is logged ($*)"
}
fill_fifo 5
serve "$T/error" -d -o log="$LOG"
drain 5 'serving'
ends "standard error that nobody reads"
fill_fifo 6
serve "$T/terminal" -o log="$T/fifo"
drain 6 nonsense-foreground
ends "a log that nobody reads"
grep -q 'leaving' "$T/terminal" || fail "the end is not said: $(cat "$T/terminal")"

# Who has started it, and does not read what it has to say of its start, waits alone, and misses nothing.
{
	echo '[channel c]'
	printf '[tap t%d]\nchannel = c\n' {1..60}
} > "$T/conf"
fill_fifo 5
(ulimit -n 80 && exec spfsd -c "$T/conf" "$M" 2>&5) & starter=$! # so that some of the taps cannot be made
wait_until 60 mounted
answers "its start"
wait_until 60 test -p "$M/c"
drain 5 'cannot make tap'
wait $starter || fail "the start has failed" # (the rest finds room)
DAEMON=$(find_daemon)
ends "whatever it was"
finish
