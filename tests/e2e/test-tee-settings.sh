# A tap and its settings in one step: it is never there with others.
. "$(dirname "$0")/harness.sh"
spfs_mount
chmod 777 "$M"
cd "$M"
mkfifo c
has() { # has NAME SETTING VALUE...
	local name=$1
	shift
	while [ $# -gt 0 ]; do
		[ "$(spfs get --json "$name" "$1" | jq -r ".$1 | tostring")" = "$2" ] || fail "$name: $1 is not $2"
		shift 2
	done
}

spfs tee c t size=64K depth=0 policy=drop-old
has t size 65536 depth 0 policy drop-old idle keep
spfs tee --each c all depth=2M idle=discard
has all depth 2097152 idle discard
setfattr -n spfs.tee -v 'a name  size=8K rate=1M' c
has 'a name' size 8192 rate 1048576 depth 1048576
setfattr -n spfs.each -v 'both depth=0' c
has both depth 0
[ "$(getfattr --only-values -n spfs.each both)" = /c ] || fail "no broadcast"
spfs tee c plain
has plain depth 1048576
spfs tee c 'x y=1' # (the name of a tap, which the attribute cannot tell from a setting)
spfs tee c 'z y=1' depth=1
has 'z y=1' depth 1
mkdir d
spfs tee c "$M/d/t" depth=3
has d/t depth 3

# Refused, and nothing is made.
before=$(ls -R)
refuse 'dept: there is no such setting' spfs tee c bad dept=0
refuse "replay: not a tap's" spfs tee c bad size=64K replay=1
refuse 'size: 1: not within' spfs tee c bad size=1
refuse 'policy: drop: not block' spfs tee c bad policy=drop
refuse 'twice' spfs tee c bad depth=1 depth=2
refuse "a tap's name must be new" spfs tee c t depth=1
refuse 'No such file' spfs tee nothing bad depth=1
refuse 'outside the mount' spfs tee c /tmp/bad depth=1
refuse 'quota' spfs tee c bad depth=1T
for bad in 'bad dept=0' 'bad size=1' 'bad depth=1 depth=2' ' depth=1' 'bad =1'; do
	refuse 'Invalid argument\|No such file\|out of range' setfattr -n spfs.tee -v "$bad" c
done
log_has 'dept: there is no such setting'
/usr/bin/python3 - "$M" "$HERE" <<'PY'
import sys
sys.path.insert(0, sys.argv[2])
from control import Control
c = Control(sys.argv[1])
ask = {"op": "tee", "channel": "c"}
for rubbish in ({}, {"name": 1}, {"name": "bad", "each": 1}, {"name": "bad", "settings": []}, {"name": "bad", "settings": {"depth": 1.5}},
                {"name": "bad", "settings": {"depth": None}}, {"name": "bad", "more": 1}, {"name": ""}, {"name": "."},
                {"name": "bad", "settings": {"depth": -1}}):
    try:
        c.refused("EINVAL", ask | rubbish)
    except AssertionError:
        c.refused("EEXIST", ask | rubbish)
c.refused("ENOENT", ask | {"name": "none/bad"})
assert c.ask(ask | {"name": "number", "settings": {"depth": 5}}) == {}
PY
has number depth 5
rm number
[ "$(ls -R)" = "$before" ] || fail "something was made"

# Who may not write the channel has no tap of it, and no means to hold its writer back; who owns it has.
if is_root; then
	mkfifo -m 644 mine
	refuse 'denied' as_user spfs tee mine bad depth=0
	mkfifo -m 444 theirs
	chown 65534 theirs
	as_user spfs tee theirs own depth=0
	has own depth 0 policy drop-old
	refuse 'cannot hold its writer back' as_user spfs tee theirs bad policy=block
fi

# Nobody ever sees it otherwise.
/usr/bin/python3 - <<'PY'
import os, threading, time
seen, over = [], False
def look():
    while not over:
        for i in range(30):
            try:
                seen.append(os.getxattr(f"n{i}", "spfs.depth"))
            except OSError:
                pass
looker = threading.Thread(target=look)
looker.start()
for i in range(30):
    os.setxattr("c", "spfs.tee", b"n%d depth=0" % i)
while not seen:
    time.sleep(0.01)
over = True
looker.join()
assert seen and set(seen) == {b"0"}, set(seen)
PY
cd /
finish
