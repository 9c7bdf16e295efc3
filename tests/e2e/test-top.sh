#!/bin/bash
# spfs top: batch tables, and the screen with keys, sizes, hostile names, signals and the daemon's end.
. "$(dirname "$0")/harness.sh"

spfs_mount
mkfifo "$M/cam" "$M/plain" "$M/grüße" "$M/"$'bad\e]0;owned\a' "$M/"$'no-utf8\xff'
ln "$M/cam" "$M/r1"
ln "$M/cam" "$M/r2"
sleep 1000 > "$M/cam" &
writer=$!
cat "$M/r1" > "$T/out" &
spfs sink "$M/r2" "file:$T/sunk" > /dev/null

# tables: as many as were asked for, with rates
while :; do head -c 20000 /dev/zero; sleep 0.02; done > "$M/cam" &
rated() { # (who writes may have had no time between two of them)
	spfs top -b -n 3 -d 0.3 "$M" > "$T/tables"
	grep -Eq "^/cam +[0-9.]+[KM] " "$T/tables" && grep -Eq '^  r1 +- +[0-9.]+[KM] ' "$T/tables"
}
wait_until 60 rated
[ "$(grep -c '^NAME' "$T/tables")" = 3 ] || fail "not three tables: $(cat "$T/tables")"
grep -Eq '^    -> file:.* running' "$T/tables" || fail "no sink below its tap"
grep -Eq '^5 channels, 2 taps, 1 ports' "$T/tables" || fail "wrong totals"
! grep -q $'\e' "$T/tables" || fail "a control character in a table"
spfs top -b -n 1 -d 0.1 "$M/r1" | grep -q 'cam' || fail "a channel by its tap"
kill %3

refuse "at least 1" spfs top -b -n 0
refuse "seconds" spfs top -b -d nan
refuse "not a splice channel" spfs top -b -n 1 "$T"
refuse "No such file" spfs top -b -n 1 "$M/none"
refuse "no terminal" spfs top "$M" < /dev/null

# the mount goes while tables are printed
spfs top -b -d 0.1 "$M" > "$T/going" &
top=$!
wait_until 30 grep -q NAME "$T/going"

python3 "$HERE/top.py" "$DAEMON" "$M" || fail "the screen"
wait_until 30 grep -q 'the daemon has ended' "$T/going"
kill "$writer"
umount_it
DAEMON=
wait_until 30 grep -q 'not a splice channel' "$T/going"
kill "$top"
wait "$top" || fail "ended by a signal, it says $?"
finish
