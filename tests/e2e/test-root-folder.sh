# Whose the root folder is, and its mode: of the options, else of the configuration, else of the folder below.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
programs_for_all "$BUILD"/cmd/spfs{,d}
C=$T/spfs.conf
me=$(id -u)
mine=$(id -g)
shows() { # shows OWNER GROUP MODE
	[ "$(stat -c '%u %g %a' "$M")" = "$*" ] || fail "$(stat -c '%u %g %a' "$M"), not $*"
}
said() { # said OWNER GROUP MODE OPTION...
	spfs_mount -c "$C" "${@:4}"
	shows "${@:1:3}"
	spfs_unmount
}

# ---- what anybody may say: himself, and a mode
chmod 750 "$M"
: > "$C"
said $me $mine 750
said $me $mine 700 -o mode=0700
said $me $mine 2775 -o mode=2775
said $me $mine 775 -o umask=002
said $me $mine 777 -o umask=0
said $me $mine 750 -o uid="$me",gid="$mine"
said $me $mine 750 -o uid="$(id -un)",gid="$(id -gn)"
printf '[mount]\nowner = %s\ngroup = %s\nmode = 711\n' "$me" "$mine" > "$C"
said $me $mine 711
said $me $mine 755 -o umask=22

# A reload leaves it, and says so; chmod does not.
spfs_mount -c "$C"
sed -i 's/711/755/' "$C"
spfs reload "$M" > "$T/said" 2>&1 || true
grep -q 'mode stays until the next mount' "$T/said" || fail "$(cat "$T/said")"
shows $me $mine 711
chmod 770 "$M"
shows $me $mine 770
spfs_unmount

# ---- what is refused, before anything is mounted
refused() { # refused TEXT OPTION...
	local text=$1
	shift
	refuse "$text" spfsd -c "$C" "$@" "$M"
	! mounted || fail "mounted all the same"
}
: > "$C"
refused "uid=no-such: there is no user 'no-such'" -o uid=no-such
refused "gid=no-such: there is no group 'no-such'" -o gid=no-such
refused "uid=-1: there is no user '-1'" -o uid=-1
refused "uid=4294967295: there is no user" -o uid=4294967295
refused "gid=: there is no group" -o gid=
refused "mode=1777: mode: '1777' is not an octal number within 2777" -o mode=1777
refused "mode=rwx: mode: 'rwx' is not" -o mode=rwx
refused "mode=: mode: ''" -o mode=
refused "umask=8: '8' is not an octal number within 0777" -o umask=8
refused "umask=7777: " -o umask=7777
refused "umask=: ''" -o umask=
refused "mode=700 and umask=7 say the same" -o mode=700,umask=7
printf '[mount]\nmode = 9\nowner = no-such\n' > "$C"
refused "$C:2: mode: '9'"
: > "$C"

# ---- what only root may
as_other() { spfsd -c "$C" "$@" "$M"; }
if is_root; then
	as_other() { as_user spfsd -c "$C" "$@" "$M"; }
	chown 65534:65534 "$M"
fi
refuse 'user 12 cannot be the folder.s owner: only root' as_other -o uid=12
refuse 'user 0 cannot be the folder.s owner' as_other -o uid=root
refuse 'group 12 cannot be the folder.s: only root' as_other -o gid=12
printf '[mount]\nowner = 12\n' > "$C"
refuse 'user 12 cannot be the folder.s owner' as_other
if is_root; then
	printf '[mount]\nowner = daemon\ngroup = 12\nmode = 2770\n' > "$C"
	said 1 12 2770
	said 13 12 755 -o uid=13,umask=22
	spfs_mount -c "$C" -o uid=65534,mode=2775
	as_user sh -c "umask 027; mkfifo '$M/fifo'; : > '$M/file'; mkdir '$M/dir'"
	# What is made belongs to its maker, with the mode that he gives it; here the group is the folder's.
	for name in fifo file; do
		[ "$(stat -c '%u %g %a' "$M/$name")" = '65534 12 640' ] || fail "$name: $(stat -c '%u %g %a' "$M/$name")"
	done
	[ "$(stat -c '%u %g %a' "$M/dir")" = '65534 12 2750' ] || fail "dir: $(stat -c '%u %g %a' "$M/dir")"
	spfs_unmount

	# As mount(8) and fstab(5) say it.
	: > "$C"
	helper=$(dirname "$(command -v spfsd)")/mount.fuse.spfs
	sed 's|@SPFSD@|spfsd|' "$HERE/../../cmd/mount.fuse.spfs" > "$helper"
	chmod 755 "$helper"
	"$helper" spfs "$M" -o "rw,noauto,uid=daemon,gid=12,umask=027,config=$C"
	DAEMON=$(find_daemon)
	shows 1 12 750
	spfs_unmount
	status=0
	"$helper" spfs "$M" -o uid=no-such 2> "$T/said" || status=$?
	[ $status = 32 ] && grep -q "uid=no-such" "$T/said" || fail "status $status: $(cat "$T/said")"
fi
finish
