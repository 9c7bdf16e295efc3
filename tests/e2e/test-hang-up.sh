# A terminal that hangs up is at its end, whichever end of it was passed. What knows no splice(2) is read.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount
cd "$M"
mkfifo slave master sink

timeout 120 /usr/bin/python3 - << 'EOF'
import os, pty, subprocess, tty

def attach(way, channel, fd):
    return subprocess.Popen(["spfs", way, channel, "--wait", "--fd", str(fd)], pass_fds=[fd], stdout=subprocess.PIPE)

def source(channel, passed, other):
    port = attach("source", channel, passed)
    port.stdout.readline() # its number: it is attached
    os.close(passed)
    os.write(other, b"said")
    with open(channel, "rb", buffering=0) as reader:
        assert reader.read(4) == b"said"
        os.close(other)
        assert reader.read(1) == b""
    assert port.wait() == 0, channel

master, slave = pty.openpty()
tty.setraw(slave)
source("slave", slave, master)
master, slave = pty.openpty()
tty.setraw(slave)
source("master", master, slave)

# Who writes there is told so as write(2) says it.
master, slave = pty.openpty()
port = attach("sink", "sink", slave)
port.stdout.readline()
os.close(slave)
os.close(master)
with open("sink", "wb") as writer:
    writer.write(b"lost")
assert port.wait() == 1
EOF
for c in slave master; do state $c 1 done || fail "$c: $(ports $c)"; done
[ "$(port sink 1 .error)" = 'Input/output error' ] || fail "sink: $(ports sink)"

# Other devices without splice(2): what they say comes, and what is wrong with one is what read(2) says.
if is_root && timeout 10 dd if=/dev/kmsg iflag=nonblock of="$T/record" bs=8192 count=1 status=none 2> /dev/null; then
	mkfifo kernel
	source_of kernel file:/dev/kmsg
	timeout 20 head -c "$(stat -c %s "$T/record")" kernel | cmp - "$T/record" || fail "what the kernel says"
fi
if is_root && LC_ALL=C timeout 10 dd if=/dev/net/tun count=1 2>&1 | grep -q 'bad state'; then
	mkfifo tunnel
	source_of tunnel file:/dev/net/tun
	wait_until 30 state tunnel 1 failed
	[ "$(port tunnel 1 .error)" = 'File descriptor in bad state' ] || fail "tunnel: $(ports tunnel)"
fi
cd /
finish
