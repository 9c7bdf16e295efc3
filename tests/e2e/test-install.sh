# The README's own lines build and install a new clone, without what the tests alone need: below the prefix that the
# install is given, and nowhere else; and the target uninstall leaves nothing.
. "$(dirname "$0")/harness.sh"
! sanitized || skip "it is built anew, as everywhere"

lines=$(sed -n 's/^    \(sudo \)\?\(cmake .*\)/\2/p' "$HERE/../../README.md")
[ "$(wc -l <<< "$lines")" = 2 ] || fail "the README's lines: $lines"
mkdir "$T/src" "$T/bin"
tar -C "$HERE/../.." --exclude='./build*' --exclude=./.git -cf - . | tar -C "$T/src" -xf -
# Such as where nobody has installed Criterion.
cat > "$T/bin/pkg-config" << 'END'
#!/bin/sh
case $* in *criterion*) exit 1 ;; esac
exec /usr/bin/pkg-config "$@"
END
chmod +x "$T/bin/pkg-config"
export PKG_CONFIG=$T/bin/pkg-config
CMAKE_BUILD_PARALLEL_LEVEL=$(nproc)
export CMAKE_BUILD_PARALLEL_LEVEL
cd "$T/src"
quietly() { "$@" > "$T/cmake" 2>&1 || { cat "$T/cmake" >&2; fail "$*"; }; }
files() { (cd "$1" && find . ! -type d | sort); }

# To a packager's folder, and then to two prefixes that were not known when it was built.
export DESTDIR=$T/dest
quietly eval "$lines"
cmp <(files "$T/dest") - << 'END' || fail "installed: $(files "$T/dest")"
./usr/local/bin/spfs
./usr/local/bin/spfsd
./usr/local/sbin/mount.fuse.spfs
./usr/local/share/doc/spfs/spfs.conf.example
./usr/local/share/man/man1/spfs.1
./usr/local/share/man/man5/spfs.conf.5
./usr/local/share/man/man7/spfs-port.7
./usr/local/share/man/man8/mount.fuse.spfs.8
./usr/local/share/man/man8/spfsd.8
END
! grep -r "$T" "$T/dest/usr/local/sbin" "$T/dest/usr/local/share" || fail "it knows where it was built"
quietly cmake --build build --target uninstall
[ -z "$(files "$T/dest")" ] && [ ! -e "$T/dest/usr/local/share/doc/spfs" ] || fail "left: $(find "$T/dest")"
refuse 'nothing is installed' cmake --build build --target uninstall
unset DESTDIR
for prefix in one two; do
	quietly cmake --install build --prefix "$T/$prefix"
	[ "$(files "$T/$prefix" | wc -l)" = 9 ] || fail "installed: $(files "$T/$prefix")"
done

# The helper runs the daemon that it came with, also found by a link, and where both have been taken elsewhere.
mv "$T/two" "$T/three"
for prefix in one three; do
	ln -sf "$T/$prefix/sbin/mount.fuse.spfs" "$T/helper"
	"$T/helper" label "$M" -o "log=$LOG,x-what.ever"
	DAEMON=$(find_daemon)
	[ "$(readlink "/proc/$DAEMON/exe")" = "$T/$prefix/bin/spfsd" ] || fail "it runs $(readlink "/proc/$DAEMON/exe")"
	[ "$(findmnt -no SOURCE "$M")" = label ] || fail "the mount's source: $(findmnt -no SOURCE "$M")"
	echo hello > "$M/x"
	[ "$(timeout 10 cat "$M/x")" = hello ] || fail "nothing comes"
	spfs_unmount
done
cd /
finish
