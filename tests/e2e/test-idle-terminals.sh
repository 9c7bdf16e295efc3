# Sources on terminals that say nothing hold up no file: not another user's, and not their own user's.
. "$(dirname "$0")/harness.sh"
need_root "to be somebody else"
programs_for_all "$BUILD/cmd/spfs"
spfs_mount -o workers=1
chmod 777 "$M"
head -c 3000000 /dev/urandom > "$T/in"
chmod 644 "$T/in"
mkfifo "$M/root"
as_user mkdir "$M/his"
as_user mkfifo "$M/his/file"

setpriv --reuid=65534 --regid=65534 --clear-groups /usr/bin/python3 - "$M/his" > "$T/attached" << 'EOF' & idle=$!
import os, pty, subprocess, sys, tty
masters = []
for i in range(130):
    master, slave = pty.openpty()
    tty.setraw(slave)
    masters.append(master)
    os.mkfifo(f"{sys.argv[1]}/{i}")
    subprocess.run(["spfs", "source", f"{sys.argv[1]}/{i}", "--fd", str(slave)], pass_fds=[slave], check=True,
                   stdout=subprocess.DEVNULL)
    os.close(slave)
print("all", flush=True)
os.write(masters[129], b"said")
with open(f"{sys.argv[1]}/129", "rb", buffering=0) as f:
    print(f.read(4).decode(), flush=True)
os.read(masters[0], 1)
EOF
wait_until 60 grep -q all "$T/attached"
wait_until 30 grep -q said "$T/attached"

spfs source "$M/root" "file:$T/in" > /dev/null
timeout 20 cat "$M/root" | cmp - "$T/in" || fail "root's file"
as_user timeout 20 spfs source "$M/his/file" "file:$T/in" > /dev/null
timeout 20 cat "$M/his/file" | cmp - "$T/in" || fail "his own file"
kill $idle
wait $idle 2> /dev/null || true
finish
