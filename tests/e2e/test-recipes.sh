#!/bin/bash
# The recipes of README.md and docs/recipes.md, as they are written: only the mount point, ports, the camera and a peer's
# address are others here, what looks at all mounts looks at this one, and a capture ends and does not take hours. A block of recipes.md that is added has to be
# added here.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
ROOT=$(realpath "$(dirname "$0")/../..")
spfs_mount
mkdir "$T/work" "$T/programs"
cd "$T/work"
PATH=$T/programs:$PATH
exec < /dev/null

# Programs and files of somebody's.
cat > "$T/programs/app" << 'END'
#!/bin/bash
for i in $(seq 100); do
	until [ $i != 100 ] || [ -e "$LOOK" ]; do sleep 0.01; done # (who looks in may be late)
	echo line $i
	sleep 0.01
done
END
export LOOK=$M/look
printf '#!/bin/sh\ncat "$@" > viewed 2>&1 &\n' > "$T/programs/ffplay"
chmod +x "$T/programs/"*
mkdir dir
seq 10000 > dir/file
head -c 3000000 /dev/urandom > movie.ts
head -c 300000 /dev/urandom > page.html
PORT=$(free_port)
PEER=$(free_port)

# block FILE FIRST: the block whose first line begins so, made fit for this place
run=0
INSIDE=()
block() {
	FIRST=$2 awk '/^    / { line = substr($0, 5); if (!inside) ours = index(line, ENVIRON["FIRST"]) == 1
			inside = 1; if (ours) print line; next } { inside = 0 }' "$ROOT/$1" |
		sed -e "s#/splicefs#$M#g; s#::9000#:$HOST:$PORT#; s#192.0.2.1:8080#$HOST:$PEER#" \
			-e '/pcap/ s#rotate=1h#rotate=1s#; s#-U -w \(.*/wire\)#-U -c 100 -w \1#' \
			-e "s#'v4l2:/dev/video0[^']*'#file:movie.ts#; s#^spfs ls #spfs ls $M #"
}
recipe() {
	run=$((run + 1))
	block "$@" > "$T/recipe"
	[ -s "$T/recipe" ] || fail "there is no block '$2' in $1"
	timeout 60 "${INSIDE[@]}" bash -e "$T/recipe" > "$T/said" 2>&1 || fail "$1: '$2': $(cat "$T/recipe" "$T/said")"
}
blocks() { awk '/^    / && !inside { n++ } { inside = /^    / } END { print n }' "$ROOT/$1"; }
ends_as() { cmp -s "$1" "$2"; }

# ---- recipes.md

recipe docs/recipes.md 'mkfifo /splicefs/log'
seq -f 'line %g' 100 > expected_log
wait_until 30 ends_as expected_log app.log
tail -n 1 "$T/said" | grep -qx "line 100" || fail "who looked in saw: $(cat "$T/said")"
rm "$M"/*

recipe docs/recipes.md 'mkfifo /splicefs/tar'
[ "$(tar -xOf backup.tar dir/file | md5sum)" = "$(md5sum < dir/file)" ] || fail "the archive is another"
[ "$(cut -d' ' -f1 "$T/said")" = "$(sha256sum < backup.tar | cut -d' ' -f1)" ] || fail "the checksum is another's"
rm "$M"/*

# (tcpdump in a network of its own, which goes with all that runs in it)
cat > "$T/programs/network" << 'END'
#!/bin/bash
ip link set lo up
while sleep 0.02; do echo packet > /dev/udp/127.0.0.1/7777; done 2> /dev/null &
"$@"
status=$?
kill $!
exit $status
END
chmod +x "$T/programs/network"
if is_root && command -v tcpdump > /dev/null; then
	INSIDE=(unshare -n -p --fork --mount-proc network)
	recipe docs/recipes.md 'mkfifo /splicefs/dump'
	[ "$(grep -c ' IP .*7777' "$T/said")" = 10 ] || fail "who looked in saw: $(cat "$T/said")"
	rm "$M"/*
	INSIDE=() # (the daemon opens the file, and names are to mean the same to it)
	printf '#!/bin/sh\nexec unshare -n network %s "$@"\n' "$(command -v tcpdump)" > "$T/programs/tcpdump"
	chmod +x "$T/programs/tcpdump"
	recipe docs/recipes.md 'mkfifo /splicefs/wire'
	packets() { for f in wire-*; do tcpdump -r "$f" 2> /dev/null || echo "$f"; done; }
	has_all() { [ "$(packets | grep -c ' IP .*7777')" = 100 ] && ! packets | grep wire; }
	wait_until 30 has_all
	[ "$(ls wire-* | wc -l)" -gt 1 ] || fail "one file: $(ls)"
	rm "$M"/*
else
	run=$((run + 2))
fi

recipe docs/recipes.md 'echo hello'
[ "$(cat "$T/said")" = hello ] || fail "hello: $(cat "$T/said")"
rm "$M"/*

/usr/bin/python3 - $HOST $PEER << 'END' > got &
import socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])))
c, _ = s.accept()
while data := c.recv(65536):
    sys.stdout.buffer.write(data)
END
peer=$!
wait_until 30 listening $PEER
recipe docs/recipes.md 'printf'
wait $peer
{ printf 'HTTP/1.0 200 OK\r\n\r\n'; cat page.html; } > expected
same expected got
rm "$M"/*

recipe docs/recipes.md 'mkfifo /splicefs/cam'
recipe docs/recipes.md 'ln /splicefs/cam /splicefs/rec'
grep -q 'file:.*cam.raw' "$T/said" || fail "no ports: $(cat "$T/said")"
recipe docs/recipes.md 'mkfifo /splicefs/events'
[ -e events.log ] || fail "it was not opened anew"
seq 1000 > expected_events
cat expected_events > "$M/events"
wait_until 30 ends_as expected_events events.log
wait_until 30 ends_as expected_events events-20*
rm "$M/events"
recipe docs/recipes.md 'ln /splicefs/cam /splicefs/view'
wait_until 30 test -e viewed
spfs get "$M/view" policy | grep -q drop-old || fail "the view does not drop"
recipe docs/recipes.md 'spfs tee /splicefs/cam now'
[ "$(spfs get --json "$M/now" | jq -c '[.latency, .policy]')" = '[200,"drop-old"]' ] || fail "$(spfs get "$M/now")"
recipe docs/recipes.md 'spfs set /splicefs/cam'
recipe docs/recipes.md 'mkfifo /splicefs/bus'
[ "$(timeout 20 head -n 1 "$M/b1")" = "one message" ] || fail "no message"

# Of what is going on: by line, for some of them go on for ever, and are stopped once they have said something.
block docs/recipes.md 'spfs ls' > "$T/lines"
run=$((run + 1))
[ "$(wc -l < "$T/lines")" -ge 7 ] || fail "$(cat "$T/lines")"
while read -r line; do
	said=$T/said
	case $line in
	"spfs top"*) line="spfs top -b -n 1 $M" ;; # (for a terminal)
	"spfs quota"*) line="spfs quota $M" ;;
	"spfs graph"*) command -v dot > /dev/null && said=now.svg || continue ;;
	esac
	rm -f "$said"
	status=0
	case $line in "spfs watch"*) endless=1 ;; *) endless= ;; esac
	timeout 60 bash -ec "$line" > "$T/said" 2>&1 & asks=$!
	[ -z "$endless" ] || { wait_until 30 test -s "$said" && kill $asks; }
	wait $asks || status=$?
	[ $status = 0 ] || [ -n "$endless" ] || fail "$line: $(cat "$T/said")"
	[ -s "$said" ] || fail "$line says nothing"
done < "$T/lines"
[ $run = "$(blocks docs/recipes.md)" ] || fail "$run of $(blocks docs/recipes.md) recipes were run"
for id in $(spfs ports --json "$M/cam" | jq '.[].id'); do spfs detach "$M/cam" $id || :; done
rm "$M"/*

# ---- README.md

block README.md '$ spfsd /splicefs' | sed -n 's/^\$ //p' | grep -v '^spfsd' > "$T/lines"
[ "$(wc -l < "$T/lines")" = 5 ] || fail "$(cat "$T/lines")"
echo wait >> "$T/lines"
timeout 60 bash -e "$T/lines" || fail "README: $(cat "$T/lines")"
same movie.ts one two

rm -f app.log
recipe README.md 'echo hello'
[ "$(cat "$T/said")" = hello ] || fail "hello: $(cat "$T/said")"
recipe README.md 'mkfifo /splicefs/log'
wait_until 30 ends_as expected_log app.log
recipe README.md 'spfs sink /splicefs/cam'
recipe README.md 'spfs ls'
finish
