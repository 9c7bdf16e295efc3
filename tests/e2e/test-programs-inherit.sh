# Of a daemon that has keys, limits and priorities of its own its programs have none of them.
. "$(dirname "$0")/harness.sh"
need_root "for what only root's daemon has"
programs_for_all "$BUILD/cmd/spfs"
mkdir -m 755 "$T/programs"
chmod 1777 "$T"
cat > "$T/programs/spfs-port-look" << 'END'
#!/usr/bin/python3
import ctypes, os, platform, resource, sys
libc = ctypes.CDLL(None, use_errno=True)
KEYCTL, IOPRIO_GET = {"x86_64": (250, [252]), "aarch64": (219, [31])}[platform.machine()]
SESSION = -3
sys.stdout = open(sys.argv[2], "w")
text = ctypes.create_string_buffer(4096)
if libc.syscall(KEYCTL, 6, SESSION, text, 4096) > 0: # KEYCTL_DESCRIBE
    print("keyring of", text.value.split(b";")[1].decode())
found = libc.syscall(KEYCTL, 10, SESSION, b"user", b"spfs-secret", 0) # KEYCTL_SEARCH
print("key", "found" if found >= 0 else "none")
print("files", *resource.getrlimit(resource.RLIMIT_NOFILE))
policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
def opens(path, how):
    try:
        os.close(os.open(path, how))
        return "opens"
    except OSError as e:
        return os.strerror(e.errno)
print("stdin", opens("/dev/stdin", os.O_RDONLY), "and to be written", opens("/dev/stdin", os.O_WRONLY))
print("groups", len(os.getgroups()), *os.getgroups()[:2])
print("policy", policy, "nice", os.nice(0), "disk", libc.syscall(*IOPRIO_GET, 1, 0) >> 13)
print("rtprio", *resource.getrlimit(resource.RLIMIT_RTPRIO), "nice", *resource.getrlimit(13)) # RLIMIT_NICE
score = open("/proc/self/oom_score_adj").read().strip()
try:
    os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1")
    score += " and may be lower"
except OSError:
    pass
print("oom", score)
sys.stdout.close()
os.write(3, b"error nothing more")
END
chmod 755 "$T/programs/spfs-port-look"
# As it is started on one machine or another.
cat > "$T/keys" << 'END'
import ctypes, os, platform, sys
libc = ctypes.CDLL(None, use_errno=True)
keyctl, add_key = {"x86_64": (250, 248), "aarch64": (219, 217)}[platform.machine()]
if libc.syscall(keyctl, 1, b"spfs-test") < 0 or libc.syscall(add_key, b"user", b"spfs-secret", b"root only", 9, -3) < 0:
    print("(no keys here)")
os.execvp(sys.argv[1], sys.argv[1:])
END
# (two of them only where root may raise limits)
first() { chrt -f 5 nice -n -7 ionice -c1 sh -c '
	(echo -900 > /proc/self/oom_score_adj) 2> /dev/null && choom -n -900 -p $$
	prlimit -p $$ --rtprio=50 --nice=40 2> /dev/null
	exec "$@"' - "$@"; }
as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
# look COMMAND...: starts the program as who that makes; prints what it saw
look() {
	rm -f "$T/seen"
	refuse "nothing more" "$@" spfs sink "$M/c" "look:$T/seen" >&2
	cat "$T/seen"
}

started_by() {
	"$@" spfsd -o log="$LOG" -o programs="$T/programs" "$M" | tee "$T/told"
	DAEMON=$(find_daemon)
	mkfifo -m 666 "$M/c"
}

# Keys: whoever had the daemon's session keyring could use what is in it.
started_by python3 "$T/keys"
grep -q "no keys" "$T/told" || keys=1
for who in "${as[*]}" ""; do
	look $who > "$T/look"
	cat "$T/look"
	grep -qx "key none" "$T/look" || fail "$who has a key of root's"
	[ -z "${keys:-}" ] || grep -qx "keyring of $([ -z "$who" ] && echo 0 || echo 65534)" "$T/look" || fail "whose keyring"
done
grep -qx "files 1024 4096" "$T/look" || fail "its limits"

# What goes back to the channel nobody has written into the pipe.
look "${as[@]}" > "$T/look"
grep -qx "stdin opens and to be written Permission denied" "$T/look" || fail "$(cat "$T/look")"
# Of any number of groups.
grep -qx "groups 0" "$T/look" || fail "$(cat "$T/look")"
cd "$M"
look /usr/bin/python3 "$HERE/many_groups.py" 20001 > "$T/look"
grep -qx "groups 20001 100000 100001" "$T/look" || fail "$(cat "$T/look")"
cd /
spfs_unmount

# Nobody may have more than the daemon.
for limit in 4000 900; do
	started_by prlimit --nofile=$limit
	look "${as[@]}" > "$T/look"
	grep -qx "files $((limit < 1024 ? limit : 1024)) $limit" "$T/look" || fail "of $limit: $(cat "$T/look")"
	spfs_unmount
done
# Nor does anybody's come before what others do: as it is first started, and when it is started again.
if first true 2> /dev/null; then
	started_by first
	[ "$(chrt -p "$DAEMON" | grep -c SCHED_FIFO)" = 1 ] || fail "the daemon is no test"
	for who in "${as[*]}" ""; do
		look $who > "$T/look"
		grep -qx "policy 0 nice 0 disk [02]" "$T/look" || fail "$(cat "$T/look")"
		grep -qx "rtprio 0 0 nice 0 0" "$T/look" || fail "$(cat "$T/look")"
		grep -qx "oom 0" "$T/look" || fail "$(cat "$T/look")"
	done
	spfs_unmount
fi
finish
