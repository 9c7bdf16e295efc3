# Settings: each by attribute and by command, read back by both; bad values, and names that have no such setting.
. "$(dirname "$0")/harness.sh"
need_root "to set attributes of taps"
spfs_mount
cd "$M"
mkfifo ch
mkdir sub
ln ch tap

attribute() { getfattr --only-values -n "spfs.$2" "$1" 2> /dev/null; }
got() { spfs get --json "$1" "$2" | jq -r ".[\"$2\"]"; }

# check NAME KEY VALUE [EXACT]: set by both ways, read back by both
check() {
	local exact=${4:-$3}
	setfattr -n "spfs.$2" -v "$3" "$1"
	[ "$(attribute "$1" "$2")" = "$exact" ] || fail "spfs.$2 of $1 is $(attribute "$1" "$2"), not $exact"
	[ "$(got "$1" "$2")" = "$exact" ] || fail "get $1 $2: $(got "$1" "$2")"
	getfattr -d -m - "$1" 2> /dev/null | grep -q "^spfs.$2=" || fail "-d does not show spfs.$2"
	spfs set "$1" "$2=$3"
	[ "$(attribute "$1" "$2")" = "$exact" ] || fail "set $1 $2: $(attribute "$1" "$2"), not $exact"
}

check ch size 256K 262144
check ch replay 64K 65536
check ch replay 0
check ch eof never
check ch eof last-writer
check ch packets 1
check ch packets 0
check ch stable 1
check ch rate 1G 1073741824
check ch rate 0
check tap size 128k 131072
check tap depth 4M 4194304
check tap depth 0
check tap policy drop-new
check tap policy drop-old
check tap policy block
check tap idle discard
check tap idle keep
check tap rate 10M 10485760
check tap rate 0
check . quota 64M 67108864
check . quota 0
[ "$(attribute ch eof)" = last-writer ] || fail "a tap's settings are the channel's"

# a channel that the daemon has no part in
mkfifo plain
[ "$(attribute plain eof)" = last-writer ] || fail "no defaults"
spfs set plain eof=never stable=1
[ "$(got plain eof)$(got plain stable)" = never1 ] || fail "$(spfs get plain)"

# bad ERROR LOG NAME KEY VALUE: refused by both ways, with a line in the log for each
bad() {
	local before
	for way in attribute command; do
		log_written
		before=$(wc -l < "$LOG")
		if [ $way = attribute ]; then refuse "$1" setfattr -n "spfs.$4" -v "$5" "$3"
		else refuse "$2" spfs set "$3" "$4=$5"; fi
		log_written
		tail -n +$((before + 1)) "$LOG" | grep -q -- "set $4: .*$2" || fail "no reason in the log: $(tail -n 1 "$LOG")"
	done
}
bad 'Invalid argument' 'not a number' tap depth 5x
bad 'Invalid argument' 'not a number' tap depth -1
bad 'Invalid argument' 'not a number' ch size nonsense
bad 'Invalid argument' 'not 0 or 1' ch packets yes
bad 'out of range' 'not within' ch size 1
bad 'out of range' 'not within' ch size 2T
bad 'out of range' 'not within' tap depth 99999999999999999999
bad 'out of range' 'not within' ch packets 2
bad 'out of range' 'not within' ch stable 2
bad 'out of range' 'not within' ch rate 9999T
bad 'Invalid argument' 'block or drop-new or drop-old' tap policy drop
bad 'Invalid argument' 'keep or discard' tap idle Keep
bad 'Invalid argument' 'last-writer or never' ch eof 1
bad 'Invalid argument' 'belongs to a tap' ch depth 4M
bad 'Invalid argument' 'belongs to a tap' ch policy block
bad 'Invalid argument' 'belongs to a tap' ch idle keep
bad 'Invalid argument' 'origin' tap eof never
bad 'Invalid argument' 'origin' tap replay 1M
bad 'Invalid argument' 'origin' tap packets 1
bad 'Invalid argument' 'root folder' ch quota 1M
bad 'Invalid argument' 'root folder' tap quota 1M
bad 'Invalid argument' 'belongs to' . depth 1M
bad 'out of range' 'not within' . quota 9999999T
refuse 'Invalid argument' setfattr -n spfs.depth -v '' tap
refuse 'Invalid argument' setfattr -n spfs.quota -v 1M sub
refuse 'No such attr' getfattr -n spfs.depth ch
refuse 'No such attr' getfattr -n spfs.eof tap
refuse 'No such attr' getfattr -n spfs.quota sub
refuse 'not permitted' setfattr -x spfs.depth tap
refuse 'no such setting' spfs set tap nonsense=1
refuse 'no such setting' spfs get tap eof
refuse 'not KEY=VALUE' spfs set tap depth
refuse 'a folder, not a channel' spfs set sub depth=1M
refuse 'No such file' spfs set missing depth=1M
refuse 'not a splice channel' spfs set /etc/passwd depth=1M
refuse 'not a mount of spfs' spfs quota /etc
refuse 'not a mount of spfs' spfs reload /etc/passwd
refuse 'one mount' spfs quota . .

# All values are looked at before the first is set.
spfs set tap depth=1M policy=block
refuse 'policy: nonsense: not block' spfs set tap depth=2M policy=nonsense
[ "$(got tap depth)" = 1048576 ] || fail "half of it was set"
spfs set tap depth=2M policy=drop-new idle=discard
[ "$(got tap depth)$(got tap policy)$(got tap idle)" = 2097152drop-newdiscard ] || fail "$(spfs get tap)"
spfs get tap | grep -q 'depth .*2.0M' || fail "$(spfs get tap)"
for c in set get quota; do spfs $c --help | grep -q "Usage: spfs $c" || fail "$c --help"; done

# the socket, spoken to badly
/usr/bin/python3 - "$HERE" << 'END'
import sys
sys.path.insert(0, sys.argv[1])
from control import Control
c = Control(".")
for settings in ({}, [], 7, None, "depth", {"depth": None}, {"depth": [1]}, {"depth": -1}, {"depth": 1.5},
                 {"depth": "1\0002"}, {"x" * 9000: "1"}, {"depth": "9" * 9000 }):
    answer = c.ask({"op": "set", "channel": "/tap", "settings": settings})
    assert answer.get("errno") in ("EINVAL", "ERANGE") and answer.get("error"), (settings, answer)
c.refused("EINVAL", {"op": "set", "channel": "/tap"})
c.refused("EINVAL", {"op": "set", "channel": "/tap", "settings": {"depth": 1}, "more": 1})
c.refused("EINVAL", {"op": "get"})
assert c.ask({"op": "set", "channel": "tap", "settings": {"depth": 4096}}) == {}
assert c.ask({"op": "get", "channel": "/tap"})["settings"]["depth"] == 4096
assert "quota" in c.ask({"op": "get", "channel": "/"})["settings"]
END
cd /
finish
