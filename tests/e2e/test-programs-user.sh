# Programs of an ordinary user's daemon run as him, and so for him alone, whoever else is let in: root least of all.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
need_root "to be two users"
[ -e /etc/fuse.conf ] || skip "there is no /etc/fuse.conf to be replaced"
echo user_allow_other > "$T/fuse.conf"
mount --bind "$T/fuse.conf" /etc/fuse.conf
programs_for_all "$BUILD"/cmd/spfs{,d}
mkdir -m 755 "$T/programs"
cat > "$T/programs/spfs-port-who" << 'END'
#!/bin/sh
echo "$(id -u) $(nice)" > "$2"
echo ready >&3
exec cat > /dev/null
END
chmod 755 "$T/programs/spfs-port-who"
chmod 1777 "$T"
chown 65534:65534 "$M"
as_user spfsd -o allow_other -o log="$LOG" -o programs="$T/programs" "$M"
DAEMON=$(find_daemon)
cd "$M"
as_user mkfifo -m 666 c
as_user spfs sink c "who:$T/his" > /dev/null
[ "$(cat "$T/his")" = "65534 $(nice)" ] || fail "it ran as $(cat "$T/his")"
for uid in 0 12345; do
	as=(setpriv --reuid="$uid" --regid="$uid" --clear-groups)
	for kind in file who; do
		refuse "Operation not permitted" "${as[@]}" setfattr -n spfs.sink -v "$kind:$T/$kind.$uid" c
		[ ! -e "$T/$kind.$uid" ] || fail "$kind: was opened for $uid"
	done
done
cd /
kill "$DAEMON" # (where a user may have no namespace, what the daemon holds keeps the mount busy)
wait_until 30 gone "$DAEMON"
DAEMON=

# What a program is started with is missing, not the program.
spfs_mount -o programs="$T/programs"
mkfifo "$M/c"
mount --bind /dev/null /usr/bin/setpriv
refuse "start /usr/bin/setpriv: Permission denied" spfs sink "$M/c" "who:$T/x"
umount /usr/bin/setpriv
spfs_unmount
finish
