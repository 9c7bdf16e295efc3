#!/bin/bash
# What the README says of building and installing by hand, on a new machine; and what it says that one has then:
#
#     scripts/fresh --user tests/fresh/readme.sh
set -euxo pipefail
cd "$(dirname "$0")/../.."
command -v sudo >/dev/null || sudo() { "$@"; }
[ -e /etc/mtab ] || sudo ln -s ../proc/self/mounts /etc/mtab # as systemd makes it, for fusermount3(1)
lines=$(sed -n '/^By hand/,/^Then/s/^    //p' README.md)
link=$(grep -o 'sudo ln -s [^`]*' README.md)
mount=$(grep -o 'mount -t fuse.spfs [^`]*' README.md)
[ "$(wc -l <<< "$lines")" = 3 ]
eval "$lines"
sudo mkdir /splicefs

# mount(8), as root.
eval "$link"
eval "sudo $mount"
sudo sh -c 'echo hello > /splicefs/new'
[ "$(sudo timeout 20 cat /splicefs/new)" = hello ]
sudo umount /splicefs
sudo rm /sbin/mount.fuse.spfs

# And by hand.
sudo chown "$(id -u)" /splicefs
spfsd /splicefs
echo hello > /splicefs/new
[ "$(timeout 20 cat /splicefs/new)" = hello ]
spfs ls > /dev/null
fusermount3 -u /splicefs
sudo cmake --build build --target uninstall
left=$(find /usr/local -name '*spfs*')
[ -z "$left" ]
