# Programs that go through whole folders find channels, taps, broadcast names and packet channels as they find FIFOs and
# empty files: none fails, none waits, and no stream misses anything.
. "$(dirname "$0")/harness.sh"
spfs_mount
chmod 777 "$M"
become() { if is_root; then as_user "$@"; else "$@"; fi; }
become mkdir "$M/d" "$M/d/sub"
cd "$M/d"
become mkfifo plain sub/inner full
become spfs tee --each full all
become ln full tap
for name in messages alone; do
	become mkfifo $name
	become spfs set $name packets=1
done
become ln messages whole
cd /
echo 'a needle' > "$M/d/full"
echo 'one message' > "$M/d/messages"

# What is kept of a kind, of what is in a folder: name and type, sorted.
kinds() { find "$1" -mindepth 1 -printf '%P %y\n' | sort; }
kinds "$M/d" > "$T/kinds"
[ "$(wc -l < "$T/kinds")" = 9 ] || fail "$(cat "$T/kinds")"

as_root() { "$@"; }

users=become
! is_root || users='become as_root'
for user in $users; do
	run() { timeout 30 bash -c "$(declare -f become as_user is_root as_root); $user \"\$@\"" run "$@" < /dev/null; }
	quiet() { local out; out=$(run "$@" 2>&1) || fail "$user $*: status $?: $out"; [ -z "$out" ] || fail "$user $*: $out"; }
	rm -rf "$T/out"
	mkdir -m 777 "$T/out" "$T/out/rsync" "$T/out/tar"

	run ls -lR "$M" > "$T/said" || fail "ls: $(cat "$T/said")"
	run find "$M/d" -type f > "$T/said" && [ "$(wc -l < "$T/said")" = 2 ] || fail "find: $(cat "$T/said")"
	run du -a "$M/d" > "$T/said" || fail "du: $(cat "$T/said")"
	quiet tar -C "$M" -cf "$T/out/x.tar" d
	quiet cp -a "$M/d" "$T/out/cp"
	quiet rsync -a "$M/d" "$T/out/rsync"
	quiet rsync -aH --exclude messages --exclude whole "$M/d" "$T/out/rsync-links"
	run grep -r needle "$M" > "$T/said" && fail "grep -r found $(cat "$T/said")"
	run grep -r needle "$M/d/alone" "$M/d/messages" && fail "grep found"
	[ ! -s "$T/said" ] || fail "grep -r: $(cat "$T/said")"
	run grep -r needle "$M" > "$T/said" 2>&1 || [ $? = 1 ] || fail "grep -r: status $?: $(cat "$T/said")"
	quiet cat "$M/d/alone" "$M/d/messages"

	quiet tar -C "$T/out/tar" -xf "$T/out/x.tar"
	# (a tap of messages is a link of what looks like a file)
	kinds "$T/out/tar/d" | grep -v whole | cmp - <(grep -v whole "$T/kinds") || fail "tar: $(ls -lR "$T/out/tar")"
	kinds "$T/out/rsync/d" | cmp - "$T/kinds" || fail "$user: rsync"
	[ "$(stat -c %h "$T/out/cp/tap")" = 3 ] || fail "cp -a lost the links"

	# And back: in a mount, each is a channel, and each link a tap.
	quiet mkdir "$M/in"
	quiet tar -C "$M/in" -xf "$T/out/x.tar"
	[ -p "$M/in/d/full" ] && [ -p "$M/in/d/alone" ] || fail "tar -x: $(ls -l "$M/in/d")"
	quiet rm -r "$M/in"
	quiet cp -a "$T/out/cp" "$M/in"
	[ "$(spfs stat --json "$M/in/full" | jq '.taps | length')" = 2 ] || fail "cp -a: $(ls -l "$M/in")"
	quiet rm -r "$M/in"
	quiet rsync -a "$T/out/rsync/d" "$M/in"
	[ -p "$M/in/d/full" ] || fail "rsync: $(ls -lR "$M/in")"
	quiet rm -r "$M/in"
	quiet cp -a "$M/d" "$M/in"
	quiet rm -r "$M/in"
done

log_written
! grep 'beside its taps' "$LOG" || fail "an empty file has a foreign reader"

# Nobody has taken anything.
[ "$(timeout 20 cat "$M/d/tap")" = 'a needle' ] || fail "the tap"
[ "$(timeout 20 cat "$M/d/whole")" = 'one message' ] || fail "the messages"
finish
