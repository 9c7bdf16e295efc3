# 1 GiB from a file to two taps, a file and TCP. The daemon does not touch the bytes: its system calls are counted.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount
cd "$M"
size=$((1 << 30))
head -c $size /dev/urandom > "$T/in"
tcp=$(free_port)
timeout 300 socat -u "TCP-LISTEN:$tcp,bind=$HOST,reuseaddr" - | sha256sum > "$T/net" &
receiver=$!
wait_until 30 listening $tcp
mkfifo c
ln c r1
ln c r2
sink_of r1 "tcp:$HOST:$tcp"
sink_of r2 "file:$T/out"

data=read,readv,pread64,preadv,preadv2,recvfrom,recvmsg,recvmmsg
data=$data,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg
strace -f -qq -p "$DAEMON" -e trace=$data,splice,sendfile,vmsplice,copy_file_range -e signal=none -o "$T/calls" &
tracer=$!
traced() { ! grep -hqx $'TracerPid:\t0' "/proc/$DAEMON/task/"*/status; } # every thread
wait_until 30 traced
source_of c "file:$T/in"
wait $receiver
wait_until 30 state c 1 done
wait_until 60 state c 2 done
kill -INT $tracer
wait $tracer || true

cmp "$T/in" "$T/out"
[ "$(sha256sum < "$T/in")" = "$(cat "$T/net")" ] || fail "not what was sent"
for id in 1 2 3; do
	[ "$(port c $id .bytes)" = $size ] && [ "$(port c $id .copies)" = 0 ] || fail "$(ports c)"
	[ "$(port c $id .pages_ref)" -ge 262144 ] || fail "$(ports c)"
done
# Wake-ups, requests for names and the log are read and written, in small pieces; the stream is not.
python3 - "$T/calls" $size << 'PY'
import re, sys
calls, copied, spliced = {}, 0, 0
for line in open(sys.argv[1]):
    m = re.match(r"\d+ +(?:<\.\.\. )?(\w+)(?: resumed>|\().* = (\d+)", line)
    if not m:
        continue
    name, n = m.group(1), int(m.group(2))
    calls[name] = calls.get(name, 0) + 1
    if name == "splice":
        spliced += n
    else:
        copied += n
print(calls, "copied", copied, "spliced", spliced)
assert spliced >= 2 * int(sys.argv[2]), "the bytes went another way"
assert copied < 1 << 20, "the daemon copied"
PY
rm c r1 r2
cd /
finish
