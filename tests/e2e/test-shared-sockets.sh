# Who has a socket that is a port, or talks to one, does with it what makes who reads, writes or closes it wait: descriptors
# with a last close that lingers, flags and times that make it wait again. Nobody else's channels stand for it, and the end comes.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
need_root "to be somebody else"
programs_for_all "$BUILD/cmd/spfs" "$HERE"/{control,shared_socket}.py
chmod 755 "$T"
mkdir -m 777 "$T/open"

# On one worker each, those that others may open and those that they may not.
begin() {
	spfsd -f -o workers=1,log="$LOG" "$M" & foreground=$!
	wait_until 30 mounted
	wait_until 30 test -S "$M/.spfs/control"
	DAEMON=$foreground
	cd "$M"
	mkfifo -m 666 his
	mkfifo -m 644 shared
	mkfifo -m 600 private entry
	ln his his.tap
	ln shared shared.tap
	ln private private.tap
	ln entry entry.tap
}
flows() { # flows CHANNEL
	timeout 20 cat "$1.tap" > "$T/got" & reads=$!
	timeout 20 sh -c "echo goes > $1" || fail "$what: $1 stands"
	wait $reads || fail "$what: $1 stands"
	[ "$(cat "$T/got")" = goes ] || fail "$what: $1 gives $(cat "$T/got")"
}
ends() {
	cd /
	kill -TERM "$DAEMON"
	wait_until 20 gone "$DAEMON"
	wait "$foreground" || fail "$what: it ends with $?"
	DAEMON=
	kill -9 "$hostile"
	wait "$hostile" 2> /dev/null || :
}

for what in rights-source rights-client rights-sink accepts source-unix source-tcp sink-unix sink-tcp; do
	begin
	path=$T/open/$what
	case $what in
	rights-client) spfs source entry "unix-listen:$path" > /dev/null ;;
	rights-sink) spfs sink entry "unix-listen:$path" > /dev/null ;;
	esac
	[ ! -e "$path" ] || chmod 666 "$path"
	: > "$T/said"
	# (not by a function, whose process would be killed instead; while what lingers does so, the kernel closes nothing for others)
	PYTHONPATH=$T/bin setpriv --reuid=65534 --regid=65534 --clear-groups /usr/bin/python3 "$T/bin/shared_socket.py" "$M" $what "$path" > "$T/said" 2>&1 & hostile=$!
	wait_until 30 grep -q done "$T/said"
	case $what in
	sink-*) # more than the socket takes
		timeout 30 sh -c 'head -c 30000000 /dev/zero > his' & writer=$!
		timeout 30 cat his.tap | head -c 29000000 | wc -c > "$T/took" & ;;
	rights-sink) # whose stream is over then, and waits for its peer to close
		timeout 20 sh -c 'echo x > entry'
		timeout 20 cat entry.tap > /dev/null ;;
	esac
	for _ in 1 2 3; do
		flows shared
		flows private
	done
	timeout 20 spfs stat --json shared > /dev/null || fail "$what: nothing is told"
	! grep -q stands "$LOG" || fail "$what: $(grep stands "$LOG")"
	case $what in
	sink-*) # it may be through: the rest fits
		kill $writer 2> /dev/null || :
		wait $writer 2> /dev/null || : ;;
	esac
	ends
	: > "$LOG"
done
finish
