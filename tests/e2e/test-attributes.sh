# spfs.* attributes and the spfs command.
. "$(dirname "$0")/harness.sh"
need_root "to set attributes of taps"
spfs_mount
cd "$M"
mkfifo a
mkdir sub
setfattr -n spfs.tee -v r1 a
setfattr -n spfs.tee -v sub/r2 a
setfattr -n spfs.tee -v "$M/r3" r1
[ "$(getfattr --only-values -n spfs.taps a)" = '["/r1","/sub/r2","/r3"]' ] || fail "$(getfattr -d -m - a)"
[ "$(getfattr --only-values -n spfs.tee r1)" = /a ] || fail "spfs.tee of a tap"
for name in spfs.stats spfs.taps; do getfattr -d -m - a | grep -q "^$name=" || fail "-d does not show $name"; done

refuse 'File exists' setfattr -n spfs.tee -v r1 a
log_has 'must be new'
refuse 'Invalid argument' setfattr -n spfs.tee -v '' a
refuse 'Invalid argument' setfattr -n spfs.tee -v /etc/x a
log_has 'outside the mount'
refuse 'Invalid argument' setfattr -n spfs.tee -v ../../x a
refuse 'No such file' setfattr -n spfs.tee -v nowhere/x a
refuse 'not supported' setfattr -n spfs.nonsense -v 1 a
log_has 'no such attribute'
refuse 'not supported' setfattr -n spfs.tee -v x sub
refuse 'No such attr' getfattr -n spfs.nonsense a
refuse 'No such attr' setfattr -x spfs.tee a
refuse 'not permitted' setfattr -n spfs.stats -v 1 a
refuse 'too long' setfattr -n spfs.tee -v "$(printf '%0256d' 0)" a

setfattr -x spfs.tee r3
[ ! -e r3 ] || fail "the tap is still there"

head -c 200000 /dev/zero > "$T/in"
for r in r1 sub/r2; do timeout 20 cat $r > /dev/null & done
timeout 20 dd status=none if="$T/in" bs=50000 of=a conv=notrunc
wait
stats=$(getfattr --only-values -n spfs.stats a)
jq -e '.channel == "/a" and .bytes_in == 200000 and .waiting == 0 and (.taps | length) == 2 and
	(.taps | all(.bytes_out == 200000 and .waiting == 0 and .lost == 0)) and .streams == 1 and
	.chunks_ref + .chunks_copy > 0 and .foreign_readers == 0' <<< "$stats" > /dev/null || fail "$stats"
exec 4> a 5< r1
wait_until 20 sh -c "getfattr --only-values -n spfs.stats r1 |
	jq -e '.writers > 0 and .taps[0].readers > 0' > /dev/null"
exec 4>&- 5<&-

# the command
spfs tee a r4
refuse 'exists already' spfs tee a r4
refuse 'not a splice channel' spfs tee /etc/passwd x
programs_for_all "$BUILD/cmd/spfs"
refuse 'may use ln' as_user spfs tee "$M/a" x
refuse 'not a splice channel' spfs stat /etc/passwd
refuse 'No such file' spfs stat missing
refuse "no command 'nonsense'" spfs nonsense
for c in tee stat ls; do spfs $c --help | grep -q "Usage: spfs $c" || fail "$c --help"; done
spfs stat a | grep -q "$M/r4" || fail "stat: $(spfs stat a)"
spfs stat --json a | jq -e '.taps | length == 3' > /dev/null || fail "stat --json"
spfs stat --json "$M" | jq -e 'type == "array"' > /dev/null || fail "stat --json of a folder"
# Every mount, where there is no other: a walk through another test's would keep it busy.
unshare -m --propagation private bash -c '
	awk -v m="$1" "\$3 == \"fuse.spfs\" && \$2 != m { print \$2 }" /proc/mounts | xargs -r umount -l
	spfs stat --json' - "$M" | jq -e 'length == 1 and .[0].channel == "/a"' > /dev/null || fail "stat of all"
spfs ls -i 0 "$M" > "$T/ls"
grep -q 'sub/r2' "$T/ls" && grep -q "$M" "$T/ls" || fail "ls: $(cat "$T/ls")"
refuse 'seconds' spfs ls -i never

# FIFOs of other file systems are none of its business.
mkfifo "$T/other"
for c in ls stat ports; do
	refuse 'not a splice channel' spfs $c "$T"
	! spfs $c "$T" 2>&1 | grep -q other || fail "$c shows what is not a channel"
done

cd /
finish
