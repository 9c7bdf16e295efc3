# Where a worker stands, the log and `spfs stat` name who holds the lock that it waits for, and nobody who waits for the same
# lock, or is in a call on the other pipe that the worker is at. Where it cannot be told they say so.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/hanging.sh"
need_root "to be somebody else"
programs_for_all "$BUILD"/cmd/spfs "$BUILD"/tests/e2e/{hanging-file,lock-holder}
spfs_mount -o workers=1
chmod 777 "$M"
# Holds the lock of a pipe in a splice into PAGE; or in a read, into its memory, of a descriptor that has been closed since, so
# nothing in /proc leads from who reads to the pipe.
cat > "$T/holder.py" << 'END_OF_HOLDER'
import mmap, os, sys, threading
how, page, name = sys.argv[1:]
fd = os.open(name, os.O_RDONLY)
page = os.open(page, os.O_RDWR)
if how == "splice":
    print("now", flush=True)
    os.splice(fd, page, 65536)
else:
    into = mmap.mmap(page, 4096)
    threading.Thread(target=os.readv, args=(fd, [into])).start()
    state = lambda task: open(f"/proc/self/task/{task}/stat").read().rpartition(")")[2].split()[0]
    while not any(state(task) == "D" for task in os.listdir("/proc/self/task")):
        pass
    os.close(fd)
    print("now", flush=True)
END_OF_HOLDER

stands() { tail -n "+$((lines + 1))" "$LOG" | grep 'stands in'; } # what was said since then
goes_on() { tail -n "+$((lines + 1))" "$LOG" | grep -q 'goes on'; }

# named WORDS COMMAND...: HOLDER in WORDS is the process id of the command, which holds the lock of the tap. Those who do not are
# older, for of two of whom nobody knows better the older one is named.
named() {
	local expected=$1
	shift
	lines=$(wc -l < "$LOG")
	rm -f "$T/more" "$T/open" "$T/go" "$T/holder"
	as_user mkfifo "$M/his"
	as_user ln "$M/his" "$M/his.tap"
	# (one stream all the time: of a descriptor that it is closing nobody can tell what it was)
	setpriv --reuid=65534 --regid=65534 --clear-groups sh -c "exec > '$M/his'
		echo first; until [ -e '$T/more' ]; do sleep 0.02; done; exec cat /dev/zero" & writer=$!
	sh -c "exec < '$M/his.tap'; touch '$T/open'
		until [ -e '$T/go' ]; do sleep 0.02; done; exec cat > /dev/null" & reader=$!
	wait_until 30 test -e "$T/open"
	hanging_begin
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@" > "$T/holder" 2>&1 & holder=$!
	wait_until 30 holds "$holder"
	touch "$T/go"
	wait_until 30 waits $reader
	touch "$T/more"
	wait_until 60 stands
	said=$(stands | tail -n 1)
	[[ $said = *" on /his and /his.tap: ${expected//HOLDER/$holder}" ]] ||
		fail "$* ($holder), with reader $reader and writer $writer: $said"
	spfs stat "$M/his" > "$T/stat"
	grep -qF "${said##*stands }" "$T/stat" || fail "spfs stat says otherwise: $(cat "$T/stat")"
	hanging_fail
	kill "$holder" 2> /dev/null || true
	wait_until 60 goes_on
	kill "$writer" "$reader" 2> /dev/null || true
	wait "$writer" "$reader" "$holder" || true
	rm "$M/his.tap" "$M/his"
}

named "process HOLDER (lock-holder) of user 65534 is in read() on it" lock-holder read "$T/h/page" "$M/his.tap"
named "process HOLDER (python3) of user 65534 is in splice() on it" /usr/bin/python3 "$T/holder.py" splice "$T/h/page" "$M/his.tap"
named "perhaps process HOLDER (lock-holder) of user 65534, by a ring of its own" lock-holder ring "$T/h/page" "$M/his.tap"
named "it is not known who has it" /usr/bin/python3 "$T/holder.py" closed "$T/h/page" "$M/his.tap"
finish
