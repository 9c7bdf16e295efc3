# The groups of who asks are read where that takes nobody else's time, however many they are; and all of them count.
. "$(dirname "$0")/harness.sh"
need_root "to be in many groups"
programs_for_all "$HERE/many_groups.py" "$HERE/control.py" "$BUILD/cmd/spfs"
spfs_mount -o allow_other
cd "$M"
chmod 777 .
groups() { /usr/bin/python3 "$T/bin/many_groups.py" "$@"; }

# By the last of 65536, by the first, and by none: what others may is not what the group may.
mkfifo by-last by-first denied
chgrp 165535 by-last
chgrp 100000 by-first denied
chmod 060 by-last by-first
chmod 606 denied
for name in by-last by-first; do
	groups 65536 setfattr -n spfs.tee -v "$name.tap" $name || fail "$name: refused"
	groups 65536 cat .spfs/stats.json | grep -q "\"/$name\"" || fail "$name is not told of"
done
! groups 65535 setfattr -n spfs.tee -v other by-last 2> /dev/null || fail "one group less, and it is allowed"
! groups 1 setfattr -n spfs.tee -v other denied 2> /dev/null || fail "what others may, not the group, is allowed"
groups 0 setfattr -n spfs.tee -v other denied || fail "what others may is refused"

# The same by the control socket, where a few are read at once, and many later.
mkfifo -m 060 here
for count in 1 256 257 65536; do
	chgrp $((99999 + count)) here
	groups $count spfs ports here > "$T/ports.txt" 2>&1 || fail "$count groups: $(cat "$T/ports.txt")"
	! groups $((count - 1)) spfs ports here > /dev/null 2>&1 || fail "not in the last of $count groups, and told"
done

# Sixteen that ask again and again, of all kinds; the time is that of other threads than the one that serves the mount.
others_serve() { # others_serve hammer|connect
	coproc ASKING { groups 65536 "$1" 16; }
	read -r -u "${ASKING[0]}" _ || fail "they do not begin"
	PYTHONPATH=$HERE /usr/bin/python3 - "$M" "$DAEMON" << 'PY' || fail "others wait"
import os, sys, time
from serving import Serving
m, daemon = sys.argv[1:]
serving = Serving(daemon)
end = time.monotonic() + 3
asked = 0
while time.monotonic() < end or serving.ticks()[1] <= 20:
    os.stat(m + "/by-last")
    asked += 1
    time.sleep(.005)
mine, whole = serving.ticks()
print("%d of %d ticks, %d times asked meanwhile" % (mine, whole, asked))
assert mine < whole / 2, (mine, whole)
PY
	eval "exec ${ASKING[1]}>&-"
	wait "$ASKING_PID" || fail "who is in many groups"
}
others_serve hammer
others_serve connect
cd /
finish
