#!/bin/bash
# A bind mount of a folder alone, as a container has it: a door in place of .spfs/control, for the channels below the folder.
. "$(dirname "$0")/harness.sh"
need_root "to mount a folder elsewhere"
spfs_mount
mkdir -p "$M/sub/deep" "$T/part"
mkfifo "$M/sub/deep/ch"
ln "$M/sub/deep/ch" "$M/sub/deep/tap"
ln "$M/sub/deep/ch" "$M/outside"
cat "$M/outside" > /dev/null & reader=$!
cat /dev/zero > "$M/sub/deep/ch" & writer=$!
held() { spfs stat --json "$M/sub/deep/ch" | jq -e '.held_by.name == "/sub/deep/tap"' > /dev/null; }
wait_until 30 held

# The door is in every folder but the root, and in no list; it is nobody's to make, replace or remove.
[ -S "$M/sub/.spfs" ] && [ -S "$M/sub/deep/.spfs" ] && [ -d "$M/.spfs" ] && [ ! -e "$M/.spfs/door" ] || fail "the doors"
[ "$(ls -A "$M/sub")" = deep ] || fail "listed: $(ls -A "$M/sub")"
refuse 'File exists' mkfifo "$M/sub/.spfs"
refuse 'Operation not permitted' rm "$M/sub/.spfs"
refuse 'Operation not permitted' mv "$M/outside" "$M/sub/.spfs"
refuse 'exists' ln "$M/outside" "$M/sub/.spfs"
refuse 'exists' setfattr -n spfs.tee -v sub/.spfs "$M/outside"
mkdir "$M/sub/empty"
[ -S "$M/sub/empty/.spfs" ]
rmdir "$M/sub/empty"

# Who fills the doors takes no place of who sees the whole: 64 are served, and one more is refused.
cd "$M/sub"
timeout 60 python3 - "$M/sub/deep/ch" << 'PY' || fail "doors of one user"
import json, socket, subprocess, sys
doors = []
for i in range(65):
    doors.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    doors[i].settimeout(20)
    doors[i].connect(".spfs")
    if i < 64:
        doors[i].send(b'{"op":"get","channel":"/ch"}')
        assert json.loads(doors[i].recv(65536))["errno"] == "EPERM"
assert json.loads(doors[64].recv(65536))["errno"] == "EUSERS"
subprocess.run(["spfs", "get", sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
PY
cd /

mkfifo "$M/sub/deep/file"
spfs sink "$M/sub/deep/file" "file:$T/file" > /dev/null
mv "$T/file" "$T/before"
cat > "$T/look" << 'END'
set -e
mount --bind "$1/sub" "$2"
umount -l "$1"
cd "$2"
spfs stat deep/ch > "$3/stat"
spfs stat --json deep/ch > "$3/json"
spfs ls -i 0 deep/ch > "$3/ls"
spfs tee deep/ch made
# By the door, what is asked of a channel below the folder.
spfs set deep/ch replay=1000 rate=5M
[ "$(spfs get --json deep/ch replay | jq .replay)" = 1000 ] || { echo "no replay" > "$3/said"; exit 1; }
id=$(spfs sink deep/made --fd=9 9> "$3/out")
spfs ports deep/ch > "$3/ports"
spfs detach deep/ch "$id"
spfs watch deep/ch > "$3/watch" & watches=$!
until grep -q '"event"' "$3/watch"; do sleep 0.02; done
kill $watches
spfs flush deep/made
spfs reopen deep/file
mkfifo deep/new
echo by the door > "$3/in"
spfs source -w deep/new --fd=9 9< "$3/in" > "$3/id" & waits=$!
[ "$(timeout 20 cat deep/new)" = 'by the door' ] || { echo "nothing from the source" > "$3/said"; exit 1; }
wait $waits
rm deep/new
if spfs sink deep/ch "file:$3/named" 2> "$3/said"; then echo "went well: a name of another namespace"; exit 1; fi
for c in "ls -i 0 ." "ports ." "quota ." "reload ." "get ."; do
	if spfs $c > "$3/said" 2>&1; then echo "went well: $c" > "$3/said"; exit 1; fi
	grep -q "a part" "$3/said" || exit 1
done
python3 "$4" . "$5" > "$3/said" 2>&1
END
timeout 150 unshare -m bash -x "$T/look" "$M" "$T/part" "$T" "$HERE/door.py" "$(stat -c %i "$M/sub")" 2> "$T/trace" || fail "in the part: $(tail -n 2 "$T/trace"; cat "$T/said")"
grep -q "$T/part/deep/made .*descriptor\|$T/part/deep/made .*fd" "$T/ports" || fail "ports: $(cat "$T/ports")"
grep -q '"event": *"state"' "$T/watch" || fail "watch: $(cat "$T/watch")"
grep -q "^$T/part/deep/ch .* blocked by tap for " "$T/stat" || fail "stat: $(cat "$T/stat")"
grep -q "$T/part/deep/tap .* blocks the writer for " "$T/stat" || fail "stat: $(cat "$T/stat")"
jq -e '.channel == "/deep/ch" and .held_by.name == "/deep/tap"' "$T/json" > /dev/null || fail "json: $(cat "$T/json")"
grep -q "─ch .* blocked by tap for " "$T/ls" || fail "ls: $(cat "$T/ls")"
[ -e "$T/file" ] || fail "it was not opened anew"
[ -p "$M/sub/deep/made" ] || fail "no tap was made"
kill $writer
wait $writer 2> /dev/null || true
rm "$M/sub/deep/made"
timeout 20 cat "$M/sub/deep/tap" > /dev/null
wait $reader
finish
