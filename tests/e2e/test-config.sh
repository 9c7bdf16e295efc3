# The configuration: checked, in force after the command line, with declared channels, and read again.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
cd "$T"
C=$T/spfs.conf
EXAMPLE=$(realpath "$HERE/../../spfs.conf.example")

# ---- checking ----

[ "$(spfsd --check-config "$EXAMPLE")" = "$EXAMPLE: ok" ] || fail "the example is not right"
sed 's/^#\([a-z[]\)/\1/' "$EXAMPLE" > all.conf
grep -q '^\[tap' all.conf
[ "$(spfsd --check-config all.conf)" = "all.conf: ok" ] || fail "the example is not right once all of it is in force"
printf '[mount]\nworkers = many\n\n[defaults]\ndepth = 1Q\n' > "$C"
if spfsd --check-config "$C" 2> errors; then fail "mistakes are right"; fi
[ "$(wc -l < errors)" = 2 ] || fail "not two mistakes: $(cat errors)"
grep -q "^$C:2: workers: " errors
grep -q "^$C:5: depth: " errors
refuse "$C:2: workers" spfsd -c "$C" "$M"
refuse "nothing.conf: No such file" spfsd -c nothing.conf "$M"
refuse "where to" spfsd -c /dev/null
mounted && fail "mounted with mistakes"

# ---- in force, with declared channels ----

printf 'all that there is\n' > in
cat > "$C" << END
[mount]
point = $M
workers = 1
log = $LOG
[channel deep/er/c]
mode = 0640
depth = 2
END
refuse "'depth' is a setting of a tap" spfsd --config="$C"
cat > "$C" << END
[mount]
point = $M
workers = 1
log = $LOG
[channel deep/er/c]
mode = 0640
source = file:$T/in
sink = file:$T/out
[tap deep/t]
channel = deep/er/c
sink = file:$T/out2
[tap lonely]
channel = deep/er/c
sink = file:/nonexistent/x
[channel endless]
eof = never
each = live/all
[channel slow]
sink = tcp:127.0.0.1:1?retry=5
END
(cd "$T" && spfsd -c spfs.conf)
holds() { # holds PROCESS FILE: has it open
	local f
	for f in "$1"/fd/*; do [ "$(readlink "$f")" != "$2" ] || return 0; done
	return 1
}
find_by_file() { # the mount point is not among the arguments
	local p
	for p in /proc/[0-9]*; do
		{ read -r comm < "$p/comm"; } 2> /dev/null || continue
		if [ "$comm" = spfsd ] && tr '\0' ' ' < "$p/cmdline" | grep -q -- "$1" && [ "$(readlink "$p/cwd")" = / ] &&
			[ "$(ls "$p/task" | wc -l)" -gt 1 ] && holds "$p" "$LOG"; then echo "${p#/proc/}"; fi
	done
}
DAEMON=$(find_by_file 'spfsd -c spfs.conf')
[ -n "$DAEMON" ] || fail "no daemon"
mounted || fail "not mounted where the file says"
[ -p "$M/deep/er/c" ] && [ -p "$M/deep/t" ] && [ -p "$M/lonely" ] && [ -p "$M/slow" ] || fail "something declared is missing"
[ "$M/deep/t" -ef "$M/deep/er/c" ] || fail "the tap is of another channel"
[ "$(stat -c %a "$M/deep/t")" = 440 ] || fail "mode $(stat -c %a "$M/deep/t")"
wait_until 30 cmp -s in out
wait_until 30 cmp -s in out2
[ "$(cat "$M/lonely")" = "$(cat in)" ] || fail "a tap whose sink has failed has not the data"
timeout 60 cat "$M/live/all" > endless &
reader=$!
echo x > "$M/endless"
wait_until 30 grep -qx x endless
echo y > "$M/endless"
wait_until 30 grep -qx y endless
! gone $reader || fail "a channel whose end never comes has ended"
kill $reader
wait $reader || true
[ "$(getfattr --only-values -n spfs.each "$M/live/all")" = /endless ] || fail "no broadcast name"
log_has 'sink file:/nonexistent/x: .*No such file'

# ---- read again ----

reloads() { spfs reload "$M"; }
whom=root
is_root || whom=all # (the daemon's own user is nobody special)
sed -i 's/^workers.*/workers = 3/; s/^\[channel slow\]/[ports]\ntcp = none\nfile = '$whom'\n[defaults]\ndepth = 3M\n[channel new]\nsink = file:\/tmp\/..\/'"${T//\//\\/}"'\/out3\nsource = file:'"${T//\//\\/}"'\/in\n[channel free]\nmode = 0666/; /^sink = tcp/d' "$C"
reloads > told 2> not || fail "reload: $(cat not)"
grep -q 'channel new is made' told
grep -q '\[ports\]' told
grep -q '\[defaults\]' told
grep -q 'workers stays 1' not
grep -q 'slow is declared no more, and stays' not
[ -p "$M/slow" ] || fail "a channel is gone"
wait_until 30 cmp -s in out3
log_has 'reload: channel new is made'
refuse 'kind tcp is not allowed for you' spfs source "$M/free" tcp:127.0.0.1:1
log_has 'kind tcp is not allowed for you'
if is_root; then
	programs_for_all "$BUILD/cmd/spfs"
	refuse 'kind file is not allowed for you' as_user spfs source "$M/free" "file:$T/in"
	refuse 'Permission denied' as_user setfattr -n spfs.source -v "file:$T/in" "$M/free"
	as_user cat "$M/.spfs/config" > seen
	grep -q '^\[defaults\]' seen
	if grep '^\[channel' seen; then fail "what others have declared is told"; fi
	grep -q '^\[channel' "$M/.spfs/config"
	refuse 'reload is for root' as_user spfs reload "$M"
fi
: | spfs source "$M/free" --fd 0 || fail "a kind that is not spoken of is not allowed"

reloads | grep -q 'nothing has changed' || fail "the same file changes something"

# Mistakes change nothing.
cp "$C" right
sed -i 's/^tcp = none/tcp = all/; s/^depth.*/depth = deep/' "$C"
if reloads > told 2>&1; then fail "mistakes were taken"; fi
grep -q "$C:.*: depth: deep" told || fail "$(cat told)"
refuse 'kind tcp is not allowed for you' spfs source "$M/free" tcp:127.0.0.1:1
log_written # (what was said of it before)
: > "$LOG"
kill -HUP "$DAEMON"
wait_until 30 grep -q "$C:.*: depth: deep" "$LOG"
refuse 'kind tcp is not allowed for you' spfs source "$M/free" tcp:127.0.0.1:1

# By signal.
sed 's/^file = root/file = all/' right > "$C"
printf '[channel late]\n' >> "$C"
kill -HUP "$DAEMON"
wait_until 30 test -p "$M/late"
rm "$C"
refuse 'No such file' reloads
[ -p "$M/late" ] || fail "a channel is gone"
spfs_unmount

# ---- a prologue that is no text ----

printf 'HE\0AD' > header
printf '[channel c]\nprologue = @%s\nsink = file:%s\n[tap t]\nchannel = c\n' "$T/header" "$T/body" > "$C"
spfs_mount -o config="$C"
echo body > "$M/c"
(cat header; echo body) > wanted
timeout 20 cat "$M/t" | cmp - wanted
wait_until 20 cmp body wanted
printf 'head' > header
timeout 20 spfs reload "$M" > said 2>&1
grep -q 'c: is there already, and stays as it is' said || fail "$(cat said)"
rm header
refuse 'header: No such file' timeout 20 spfs reload "$M"
getfattr --only-values -n spfs.prologue "$M/c" | tr -d '\0' | grep -qx HEAD || fail "it has not stayed"
spfs_unmount

# (nor a word)
for word in first:3 none; do
	printf %s "$word" > header
	spfs_mount -o config="$C"
	echo body > "$M/c"
	[ "$(timeout 20 cat "$M/t")" = ${word}body ] || fail "a file with $word"
	spfs_unmount
done

# ---- the command line first ----

mkdir other
printf '[mount]\npoint = %s\nworkers = 1\nlog = %s\n' "$T/other" "$T/other.log" > "$C"
spfs_mount -o config="$C",workers=2
mounted || fail "the file's mount point came first"
log_has "serving $M"
[ ! -e other.log ] || fail "the file's log was opened"
make_workers
two=$(daemon_threads worker)
spfs_unmount
spfs_mount -o config="$C"
make_workers
[ "$(daemon_threads worker)" -lt "$two" ] || fail "the file's workers were not in force"
finish
