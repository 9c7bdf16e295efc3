# The daemon does not touch the bytes: its system calls during 1 GiB from a file to TCP, counted.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount
cd "$M"
size=$((1 << 30))
truncate -s $size "$T/in"
printf 'the beginning' | dd of="$T/in" conv=notrunc status=none
printf 'the end' | dd of="$T/in" bs=1 seek=$((size - 7)) conv=notrunc status=none
tcp=$(free_port)
timeout 100 socat -u "TCP-LISTEN:$tcp,bind=127.0.0.1,reuseaddr" - | cmp - "$T/in" &
receiver=$!
wait_until 10 listening $tcp
mkfifo c
sink_of c "tcp:127.0.0.1:$tcp"

data=read,readv,pread64,preadv,preadv2,recvfrom,recvmsg,recvmmsg
data=$data,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg
strace -f -qq -p "$DAEMON" -e trace=$data,splice,sendfile,vmsplice,copy_file_range -e signal=none -o "$T/calls" &
tracer=$!
wait_until 10 sh -c "grep -q '^TracerPid:.*[1-9]' /proc/$DAEMON/status"
source_of c "file:$T/in"
wait $receiver || fail "not what was sent"
wait_until 10 state c 1 done
kill -INT $tracer
wait $tracer || true

[ "$(port c 1 .bytes)" = $size ] && [ "$(port c 2 .bytes)" = $size ] || fail "$(ports c)"
[ "$(port c 1 .copies)" = 0 ] && [ "$(port c 2 .copies)" = 0 ] || fail "$(ports c)"
[ "$(port c 2 .pages_ref)" -ge 262144 ] || fail "$(ports c)"
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
rm c
cd /
finish
