#!/bin/bash
# Who holds a writer back is named, by every command, and since when, for as long as that is so: a tap that nobody reads, a
# sink whose peer does not, a channel of messages whose pages are used up.
. "$(dirname "$0")/harness.sh"
spfs_mount

state() { spfs ls -i 0 "$M" | grep -F -- "─$1 "; } # ls has one line each
says() { "$1" "$2" | grep -qE -- "$3"; }
held_by() { spfs stat --json "$M/$1" | jq -e ".held_by | $2" > /dev/null; }
free() { spfs stat --json "$M/$1" | jq -e '.held_by == null and .flow != "blocked"' > /dev/null; }
metric() { grep -E "^spfs_$1" "$M/.spfs/metrics"; }
stats() { jq -e "$1" "$M/.spfs/stats.json" > /dev/null; }

# ---- a tap that nobody reads

mkfifo "$M/ch"
ln "$M/ch" "$M/tap"
ln "$M/ch" "$M/other"
says state ch idle || fail "no stream is not idle: $(state ch)"
free ch || fail "held without a writer"
spfs watch "$M/ch" > "$T/events" & watcher=$!
told() { jq -es "any(.[]; $1)" "$T/events" > /dev/null; }
wait_until 30 told '.event == "state" and .flow == "idle" and .held_by == null and (.taps | length) == 2'
cat "$M/other" > /dev/null & reader=$!
before=$(date +%s)
cat /dev/zero > "$M/ch" & writer=$!
wait_until 30 held_by ch '.name == "/tap" and .port == null'
held_by ch ".since >= $before - 1 and .since <= $(date +%s) + 1" || fail "since when: $(spfs stat --json "$M/ch")"
since=$(spfs stat --json "$M/ch" | jq .held_by.since)

wait_until 30 says state ch '100% blocked by tap for [0-9.]+ s'
wait_until 30 says state tap '100% blocks the writer for [0-9.]+ s'
wait_until 30 says state other ' 0% waiting for writer'
spfs stat "$M/ch" > "$T/stat"
grep -qE "/ch .* blocked by tap for [0-9.]+ s" "$T/stat" || fail "stat: $(cat "$T/stat")"
grep -qE "/tap .* blocks the writer for [0-9.]+ s" "$T/stat" || fail "stat: $(cat "$T/stat")"
spfs top -b -n 1 "$M" > "$T/top"
grep -qE "/ch .* 100% .* blocked by tap for [0-9.]+ s" "$T/top" || fail "top: $(cat "$T/top")"
grep -qE "tap .* 100% .* blocks the writer for [0-9.]+ s" "$T/top" || fail "top: $(cat "$T/top")"
spfs graph -T dot -i 0 "$M" > "$T/dot"
grep -q 'label="/ch.*blocked since .* UTC.nby /tap' "$T/dot" || fail "graph: $(cat "$T/dot")"
grep -q 'label="/tap.*blocks the writer since ' "$T/dot" || fail "graph: $(cat "$T/dot")"
stats '.channels[] | .held_by.name == "/tap" and .fill == 100 and .flow == "blocked"' || fail "stats.json"
stats '.channels[].taps[] | select(.name == "/tap") | .blocks_since and .flow == "blocks the writer"' || fail "stats.json"
metric 'channel_held_since_seconds.*tap="/tap"' > /dev/null || fail "metrics: $(metric channel_held)"
metric 'tap_blocks_since_seconds.*tap="/tap"' > /dev/null || fail "metrics: $(metric tap_blocks)"
metric 'channel_flow.*state="blocked"} 1$' > /dev/null || fail "metrics: $(metric channel_flow)"
wait_until 30 told '.event == "full" and .name == "/tap"'
[ "$(timeout 20 spfs watch -n 1 "$M/ch" | jq -r '.event + " " + .held_by.name')" = "state /tap" ] ||
	fail "a watch does not tell the state at its start"

# It is the same wait, whoever looks, or opens and goes without having read.
for _ in $(seq 20); do
	timeout 20 bash -c ": < '$M/tap'"
	wait_until 30 held_by ch '.name == "/tap"' # (the writer may be about to refill what was taken meanwhile)
	held_by ch ".since - $since < 0.1" || fail "a new wait, though nothing was read"
done

# Somebody reads: it goes away.
cat "$M/tap" > /dev/null & late=$!
flows() { state ch > "$T/line"; ! grep -q "blocked" "$T/line"; }
wait_until 30 flows
kill $writer
wait $writer 2> /dev/null || true
wait $reader $late
wait_until 30 free ch
wait_until 30 says state ch ended
! metric 'channel_held_since_seconds{' || fail "metrics still tell of it"
wait_until 30 told '.event == "room" and .name == "/tap"'
kill $watcher
wait $watcher 2> /dev/null || true
rm "$M"/{ch,tap,other}

# ---- a stream that runs is not waiting, whatever it waits for just now

mkfifo "$M/run"
ln "$M/run" "$M/run.tap"
cat "$M/run.tap" > /dev/null & reader=$!
(while echo tick; do sleep 0.02; done) > "$M/run" & writer=$!
flowing() { spfs ls -i 0.3 "$M" | grep -q "─run .*flowing" && spfs stat "$M/run" | grep -q "run.tap .*flowing"; }
wait_until 30 flowing
kill $writer
wait $writer 2> /dev/null || true
wait $reader
rm "$M"/run*

# ---- a sink whose peer does not read: it has a tap without a name

cat > "$T/peer.py" << 'END'
import os, signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(1)
c, _ = s.accept()
signal.sigwait([signal.SIGUSR1])
while c.recv(1 << 20):
    pass
END
for on in cam cam.tap; do
	mkfifo "$M/cam"
	[ $on = cam ] || ln "$M/cam" "$M/cam.tap"
	rm -f "$T/sock"
	/usr/bin/python3 "$T/peer.py" "$T/sock" & peer=$!
	wait_until 30 socket_listens "$T/sock"
	spfs watch "$M/cam" > "$T/events" & watcher=$!
	wait_until 30 told '.event == "state"'
	id=$(spfs sink "$M/$on" "unix:$T/sock")
	cat /dev/zero > "$M/cam" & writer=$!
	wait_until 30 held_by cam ".port == $id and .uri == \"unix:$T/sock\""
	if [ $on = cam ]; then
		held_by cam '.name == null' || fail "a name that is none"
		says state cam "blocked by sink $id \(unix:.*\) for " || fail "ls: $(state cam)"
		wait_until 30 told ".event == \"full\" and .id == $id"
	else
		held_by cam '.name == "/cam.tap"' || fail "not the tap that the sink reads"
		says state cam "blocked by sink $id \(cam.tap to unix:.*\) for " || fail "ls: $(state cam)"
		wait_until 30 told '.event == "full" and .name == "/cam.tap"'
	fi
	spfs top -b -n 1 "$M" | grep -q -- "-> unix:.* running, blocks the writer for " || fail "top: $(spfs top -b -n 1 "$M")"
	spfs ports --json "$M/cam" | jq -e '.[0].blocks_since' > /dev/null || fail "ports: $(spfs ports --json "$M/cam")"
	spfs graph -T dot -i 0 "$M" | grep -q 'unix:.*blocks the writer since ' || fail "graph"
	metric "port_blocks_since_seconds.*port=\"$id\"" > /dev/null || fail "metrics: $(metric port)"
	metric "channel_held_since_seconds.*port=\"$id\",uri=" > /dev/null || fail "metrics: $(metric channel_held)"
	kill -USR1 $peer
	wait_until 30 told '.event == "room"'
	kill $writer
	wait $writer 2> /dev/null || true
	wait $peer
	wait_until 30 free cam
	! metric 'port_blocks_since_seconds{' || fail "metrics still tell of it"
	kill $watcher
	wait $watcher 2> /dev/null || true
	rm "$M"/cam*
done

# ---- messages: few bytes, and no place any more

# Whatever place comes yet, it is used up, until it is told that there is enough.
cat > "$T/fill.py" << 'END'
import os, select, sys
w = os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)
told = []
while not told:
    try:
        os.write(w, b"x" * 10)
    except BlockingIOError:
        told = select.select([sys.stdin], [w], [])[0]
sys.stdin.readline()
print("enough", flush=True)
sys.stdin.read()
END
enough() {
	echo enough >&"$to"
	read -r _ <&"${FULL[0]}"
}
mkfifo "$M/bus"
spfs set "$M/bus" packets=1
ln "$M/bus" "$M/b1"
coproc FULL { /usr/bin/python3 "$T/fill.py" "$M/bus"; }
full=$FULL_PID
to=${FULL[1]}
wait_until 30 says state bus '100% blocked by b1 for'
wait_until 30 says state b1 '100% blocks the writer for'
enough
cat "$M/b1" > /dev/null & reader=$!
wait_until 30 free bus
wait_until 30 says state bus ' 0% ' # with nothing in it
exec {to}>&-
wait $full $reader
rm "$M/b1"

# Without a tap it is who reads the channel itself.
coproc FULL { /usr/bin/python3 "$T/fill.py" "$M/bus"; }
full=$FULL_PID
to=${FULL[1]}
wait_until 30 says state bus '100% blocked without a reader for'
enough
ln "$M/bus" "$M/b2"
cat "$M/b2" > /dev/null & reader=$!
wait_until 30 free bus
exec {to}>&-
wait $full $reader
# A broadcast name that nobody reads is what its writer waits for; then he of its readers who has held him up for longest.
cd "$M"
mkfifo all-in
spfs tee all-in drops --each
spfs set drops policy=drop-old
spfs tee all-in all --each
spfs set all policy=block
says state all '% idle ' || fail "no stream yet: $(state all)"
echo few > all-in # (they wait, and their writer does not)
wait_until 30 says state all-in 'waiting for reader'
free all-in || fail "held, with a few bytes: $(spfs stat --json all-in)"
says state all 'waiting for reader' || fail "a few bytes wait: $(state all)"
! metric 'channel_held_since_seconds{' || fail "metrics tell of a writer that is not held"
[ "$(timeout 60 cat all)" = few ] || fail "what waited"
wait_until 30 says state all '% ended '
before=$(date +%s)
timeout 60 sh -c "exec > all-in; echo first; sleep 0.2; head -c 20000000 /dev/zero" & writer=$!
wait_until 30 held_by all-in '.name == "/all" and .port == null'
held_by all-in ".since >= $before - 1 and .since <= $(date +%s) + 1" || fail "since when: $(spfs stat --json all-in)"
spfs stat --json all-in | jq -e '.taps[] | select(.name == "/all") | .flow == "blocks the writer" and .blocks_since > 0' \
	> /dev/null || fail "what a broadcast is at: $(spfs stat --json all-in)"
since=$(spfs stat --json all-in | jq .held_by.since)
spfs stat all-in > /dev/null # (who looks on changes nothing)
held_by all-in ".since - $since < 0.1" || fail "a new wait, though nobody came"
timeout 60 sleep 60 < all & reader=$!
wait_until 30 held_by all-in ".name == \"/all\" and .since > $since"
since=$(spfs stat --json all-in | jq .held_by.since)
timeout 60 sleep 60 < all & second=$!
wait_until 30 sh -c "[ \$(spfs stat --json all-in | jq '.taps[] | select(.name == \"/all\") | .readers') = 2 ]"
spfs stat --json all-in | jq -e ".taps[] | select(.name == \"/all\") | .blocks_since - $since < 0.1" > /dev/null ||
	fail "since when it blocks: $(spfs stat --json all-in)"
kill $(family $reader) $(family $second)
wait $reader $second 2> /dev/null || true
timeout 60 cat all > /dev/null
wait $writer
wait_until 30 free all-in
rm all-in drops all
cd /

finish
