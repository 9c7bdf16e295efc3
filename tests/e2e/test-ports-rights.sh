# Bytes move with the rights of who has attached the port, not with the daemon's.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
need_root "to be somebody else"
programs_for_all "$BUILD/cmd/spfs"
spfs_mount
cd "$T"
mkfifo -m 666 "$M/c"

# The kernel looks at who reads or writes its own files, not at who has opened them.
as_user bash -c "exec 3> /proc/sys/kernel/ns_last_pid && spfs sink '$M/c' --fd 3" > said 2>&1 && fail "a sink on procfs"
grep -q 'a file of procfs' said || fail "$(cat said)"
as_user bash -c "exec 3< /proc/1/stat && spfs source '$M/c' --fd 3" > said 2>&1 && fail "a source on procfs"
grep -q 'a file of procfs' said || fail "$(cat said)"
refuse 'a file of sysfs' spfs source "$M/c" --fd 0 < /sys/kernel/mm/transparent_hugepage/enabled
refuse 'a file of sysfs' spfs source "$M/c" file:/sys/kernel/mm/transparent_hugepage/enabled
refuse 'a file of procfs' spfs source "$M/c" file:/proc/self/stat

# A sink that takes nothing, of who may only read the channel, does not keep it from going with its last name, nor its owner
# from having back what it takes.
mkfifo -m 644 "$M/read"
mkfifo hold
as_user /usr/bin/python3 -c "
import socket, subprocess, sys
mine, other = socket.socketpair()
subprocess.run(['spfs', 'sink', sys.argv[1], '--fd', str(mine.fileno())], check=True, pass_fds=[mine.fileno()])
mine.close()
open(sys.argv[2]).read()" "$M/read" "$T/hold" > said & stuck=$!
attached() { [ "$(ports "$M/read" | jq length)" = 1 ]; }
wait_until 20 attached
head -c 400K /dev/zero > "$M/read" # and what the socket does not take stays
rm "$M/read"
let_go() { spfs quota "$M" | awk '$1 == "nobody" && $6 > 0 { exit 1 }'; } # descriptors, the sink's
wait_until 30 let_go
echo > hold
wait $stuck

# Blocks that ext4 keeps for root.
mkdir disk
truncate -s 24M image
mkfs.ext4 -q -m 50 image
mount -o loop image disk 2> said || { echo "no loop devices here: $(cat said)"; finish; exit 0; }
at_end() { umount -l "$T/disk" 2> /dev/null; }
chmod 777 disk
as_user dd if=/dev/zero of=disk/full bs=64K status=none 2> said && fail "the disk is not full"
grep -q 'No space left' said
as_user sh -c "spfs sink '$M/c' --fd 3 3> disk/more" > /dev/null
head -c 1M /dev/zero > zeros
timeout 20 cp zeros "$M/c" 2> /dev/null || true # (nobody reads any more once the sink has failed)
wait_until 20 state "$M/c" 1 failed
[ "$(port "$M/c" 1 .error)" = 'No space left on device' ] || fail "$(ports "$M/c")"
[ "$(stat -c %s disk/more)" -lt 65536 ] || fail "$(stat -c %s disk/more) bytes were written that only root may"
spfs detach "$M/c" 1

# Root's own sink has them.
spfs sink "$M/c" "file:$T/disk/root" > /dev/null
timeout 20 cp zeros "$M/c"
wait_until 20 state "$M/c" 2 done
cmp zeros disk/root
umount disk
finish
