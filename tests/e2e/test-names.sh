# Names and attributes behave as those of tmpfs do: names.py says the same of both.
. "$(dirname "$0")/harness.sh"
[ "$(stat -f -c %T /dev/shm 2> /dev/null)" = tmpfs ] || skip "no tmpfs at /dev/shm"
spfs_mount $(! is_root || echo -o allow_other)
mkdir "$M/w"
W=$(mktemp -d /dev/shm/spfs-names.XXXXXX)
status=0
/usr/bin/python3 "$HERE/names.py" "$W" > "$T/tmpfs" || status=$?
rm -rf "$W"
[ $status = 0 ] || fail "names.py on tmpfs: $(tail -n 3 "$T/tmpfs")"
/usr/bin/python3 "$HERE/names.py" "$M/w" > "$T/spfs" || fail "names.py: $(tail -n 3 "$T/spfs")"
diff "$T/tmpfs" "$T/spfs" || fail "names differ from those of tmpfs"
grep -c . "$T/spfs"
finish
