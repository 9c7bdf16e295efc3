# The folder of the programs: whose it has to be, where it cannot be, and that nobody waits for it but who names one.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
. "$HERE/hanging.sh"
need_root "for a file system that hangs, and to give files away"
programs_for_all "$BUILD/tests/e2e/hanging-file"
mkdir -m 755 "$T/programs" "$T/real"
program() { # program FILE
	printf '#!/bin/sh\nrm -f "$2"\n: > "$2"\necho ready >&3\nexec cat > /dev/null\n' > "$1"
	chmod 755 "$1"
}
no_start() { refuse "$1" spfsd -o log="$LOG" -o programs="$2" "$M"; }

# At the start: within the mount that is to come, however it is named, or others' to write.
mkdir "$M/in"
ln -s "$M/in" "$T/link"
for folder in "$M" "$M/in" "$M/none" "$T/link"; do no_start "within the mount" "$folder"; done
rmdir "$M/in"
chmod 775 "$T/programs"
no_start "may write it" "$T/programs"
chmod 755 "$T/programs"
chown 65534 "$T/programs"
no_start "may write it" "$T/programs"
chown 0 "$T/programs"
: > "$T/file"
no_start "Not a directory" "$T/file"
wait_until 20 no_daemon

hanging_begin
spfs_mount -o programs="$T/programs"
cd "$M"
mkfifo c
refuse "it begins with none of file:" spfs sink c "fine:$T/x"
program "$T/programs/spfs-port-fine"
spfs sink c "fine:$T/x" > /dev/null || fail "one that is put there cannot be used at once"
refuse "it begins with none of .*fine:" spfs sink c "other:$T/x"

# When it is to be started.
program "$T/programs/spfs-port-write"
refused() { # refused NAME WHY
	rm -f "$T/y"
	refuse "$2" spfs sink c "$1:$T/y"
	[ ! -e "$T/y" ] || fail "it ran: $1"
}
for mode in 775 757; do
	chmod $mode "$T/programs/spfs-port-write"
	refused write "write: others than root .* may write it"
done
chmod 755 "$T/programs/spfs-port-write"
chown 65534 "$T/programs/spfs-port-write"
refused write "may write it"
chown 0 "$T/programs/spfs-port-write"
spfs sink c "write:$T/y" > /dev/null || fail "it is root's again"
chmod 777 "$T/programs"
refused fine "programs: others than root .* may write it"
chmod 755 "$T/programs"
# What a link leads to counts as well, and the folder of that.
program "$T/real/program"
ln -s "$T/real/program" "$T/programs/spfs-port-linked"
spfs sink c "linked:$T/y" > /dev/null || fail "a link"
chmod 775 "$T/real/program"
refused linked "may write it"
chmod 755 "$T/real/program"
chmod 777 "$T/real"
refused linked "real: others than root .* may write it"
# One that is for some alone is there for them.
chmod 700 "$T/programs/spfs-port-fine"
spfs sink c "fine:$T/x" > /dev/null || fail "root's own"

# Nobody else waits for one that is nowhere to be found.
ln -s "$T/h/never" "$T/programs/spfs-port-hang"
spfs sink c hang:x > "$T/out" 2>&1 & waits=$!
spfs sink c hanging-too:x > "$T/out" 2>&1 & lists=$! # (which goes through the whole folder)
opening() { [ "$(daemon_threads open)" = 2 ]; }
wait_until 20 opening
timeout 20 mkfifo d || fail "the mount waits"
timeout 20 spfs sink d "fine:$T/x" > /dev/null || fail "another attach waits"
rm d
kill $waits $lists
wait $waits $lists || :
hanging_fail
cd /
spfs_unmount
finish
