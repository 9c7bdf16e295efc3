#!/bin/bash
# A bind mount of a folder alone, as a container has it: there is no .spfs, and what can be asked by attributes works.
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

cat > "$T/look" << 'END'
set -e
mount --bind "$1/sub" "$2"
umount -l "$1"
cd "$2"
spfs stat deep/ch > "$3/stat"
spfs stat --json deep/ch > "$3/json"
spfs ls -i 0 deep/ch > "$3/ls"
spfs tee deep/ch made
for c in "ls -i 0 ." "ports deep/ch" "watch deep/ch" "get deep/ch"; do
	if spfs $c > "$3/said" 2>&1; then echo "went well: $c"; exit 1; fi
	grep -q "a part of a mount alone" "$3/said" || { cat "$3/said"; exit 1; }
done
END
timeout 60 unshare -m bash "$T/look" "$M" "$T/part" "$T" || fail "in the part: $(cat "$T/said")"
grep -q "^$T/part/deep/ch .* blocked by tap for " "$T/stat" || fail "stat: $(cat "$T/stat")"
grep -q "$T/part/deep/tap .* blocks the writer for " "$T/stat" || fail "stat: $(cat "$T/stat")"
jq -e '.channel == "/deep/ch" and .held_by.name == "/deep/tap"' "$T/json" > /dev/null || fail "json: $(cat "$T/json")"
grep -q "─ch .* blocked by tap for " "$T/ls" || fail "ls: $(cat "$T/ls")"
[ -p "$M/sub/deep/made" ] || fail "no tap was made"
kill $writer
wait $writer 2> /dev/null || true
rm "$M/sub/deep/made"
timeout 20 cat "$M/sub/deep/tap" > /dev/null
wait $reader
finish
