# A latency in milliseconds: ring and depth follow the rate at which the reader takes bytes.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
has() { [ "$(spfs get --json "$1" | jq ".$2")" = "$3" ]; } # has NAME SETTING VALUE
holds() { # holds NAME LEAST MOST: bytes of ring and depth
	spfs get --json "$1" | jq -e "(.size + .depth) as \$n | \$n >= $2 and \$n <= $3"
}

# Without a rate yet, it is as a FIFO.
mkfifo c
spfs tee c t latency=500
has t latency 500 && has t size 4096 && has t depth 61440 || fail "$(spfs get t)"
setfattr -n spfs.tee -v 'u latency=2000' c
has u latency 2000 && has u depth 61440 || fail "$(spfs get u)"
spfs tee c all --each latency=100
has all latency 100 && has all size 4096 && has all depth 61440 || fail "$(spfs get all)"

# With one: 200K a second.
spfs set c rate=200K
cat t > /dev/null &
cat u > /dev/null &
cat all > /dev/null &
cat /dev/zero > c &
writer=$!
wait_until 30 holds t 70000 130000 > /dev/null
wait_until 30 holds u 300000 500000 > /dev/null
is_read() { [ "$(spfs stat --json c | jq '.taps[] | select(.each) | .readers')" = 1 ]; }
wait_until 30 is_read
each() { spfs stat --json c | jq -e '.taps[] | select(.each) | .size > 15000 and .size < 30000'; }
wait_until 30 each > /dev/null
[ "$(spfs stat --json c | jq '[.taps[].lost] | add')" = 0 ] || fail "$(spfs stat c)"
spfs set t latency=10
wait_until 30 holds t 4096 4096 > /dev/null

# It ends with a size or depth of one's own, which stay as they are.
spfs set u depth=3M
has u latency 0 && has u depth 3145728 || fail "$(spfs get u)"
spfs set t latency=0
has t size 4096 || fail "$(spfs get t)"
kill $writer
wait $writer 2> /dev/null || :
wait

# Rubbish.
refuse 'size and depth follow from it' spfs set t latency=100 size=64K
refuse 'size and depth follow from it' spfs tee c bad latency=100 depth=1M
refuse 'belongs to a tap' spfs set c latency=100
refuse 'not a number' spfs set t latency=fast
refuse 'not within' spfs set t latency=3600001
spfs set t latency=0 size=64K
rm t u all c

# What a reader sees who is slower than a live source: of 176 kB a second he takes 140.
mkfifo c
spfs tee c late
spfs tee c live latency=200 policy=drop-old
/usr/bin/python3 - << 'PY'
import os, threading, time
SOUND, TAKEN, SECONDS = 1764, 1400, 9
late = {"late": [], "live": []}
def read(name):
    with open(name, "rb", buffering=0) as f:
        begin, taken, rest = time.monotonic(), 0, b""
        while data := f.read(TAKEN):
            taken += len(data)
            rest += data
            while len(rest) >= SOUND:
                sound, rest = rest[:SOUND], rest[SOUND:]
                late[name].append(time.monotonic() - float(sound[:32]))
            time.sleep(max(0, begin + taken / (TAKEN * 100) - time.monotonic()))
            if time.monotonic() > begin + SECONDS:
                return
readers = [threading.Thread(target=read, args=(name,)) for name in ("late", "live")]
for r in readers:
    r.start()
with open("c", "wb", buffering=0) as f:
    begin = time.monotonic()
    for i in range(SECONDS * 100):
        f.write((b"%032.6f" % time.monotonic()).ljust(SOUND, b"."))
        time.sleep(max(0, begin + (i + 1) / 100 - time.monotonic()))
for r in readers:
    r.join()
# (in the second half of the time: a moment when this machine does something else is only one)
late = {name: sorted(all[len(all) // 2:])[len(all) // 4] for name, all in late.items()}
print(late)
assert late["live"] < 0.42, late
assert late["late"] > late["live"] + 0.5, late
PY
cd /
finish
