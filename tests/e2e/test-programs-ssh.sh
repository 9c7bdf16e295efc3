# The program that spfs-port(7) shows, as it stands there, with a real sshd: in a network and a home of its own.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
need_root "for a network of its own"
if [ -z "${ALONE:-}" ]; then
	rm -rf "$T"
	ALONE=1 exec unshare -mn --propagation private bash "$0" "$@"
fi
ip link set lo up
mount -t tmpfs -o mode=700 home /root
mkdir -p /run/sshd
mkdir -m 700 /root/.ssh
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
ssh-keygen -q -t ed25519 -N '' -f "$T/host"
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
echo "127.0.0.1 $(cut -d' ' -f1,2 "$T/host.pub")" > /root/.ssh/known_hosts
cat > "$T/sshd" << END
HostKey $T/host
ListenAddress 127.0.0.1
PermitRootLogin prohibit-password
PidFile none
END
/usr/sbin/sshd -D -e -f "$T/sshd" 2> "$T/sshd.log" & sshd=$!
HOST=127.0.0.1
wait_until 30 listening 22

mkdir -m 755 "$T/programs"
man -l "$HERE/../../cmd/man/spfs-port.7" | col -bx | sed -n '/^ *#!\/bin\/sh/,/^ *esac$/p' | sed 's/^ *//' > "$T/programs/spfs-port-ssh"
chmod 755 "$T/programs/spfs-port-ssh"
[ "$(wc -l < "$T/programs/spfs-port-ssh")" -lt 30 ] || fail "it is not short"
sh -n "$T/programs/spfs-port-ssh"
spfs_mount -o programs="$T/programs"
cd "$M"
head -c 5000001 /dev/urandom > "$T/in"

mkfifo c
spfs sink c "ssh:root@127.0.0.1:$T/out it's%20it%3B" > /dev/null
[ "$(port c 1 .how)" = ssh ] || fail "$(ports c)"
cp "$T/in" c
wait_until 60 state c 1 done
cmp "$T/in" "$T/out it's it;" || fail "what came there"
spfs source c "ssh:127.0.0.1:$T/in" > /dev/null
timeout 60 cat c | cmp - "$T/in" || fail "what came here"
wait_until 30 state c 2 done
printf dash > /root/-n
spfs source c ssh:127.0.0.1:-n > /dev/null
[ "$(timeout 30 cat c)" = dash ] || fail "a path that looks like an option"
wait_until 30 state c 3 done
spfs source c "ssh:127.0.0.1:$T/none" > /dev/null
timeout 30 cat c
wait_until 30 state c 4 failed
port c 4 .error | grep -q "none: No such file" || fail "$(ports c)"
refuse "ssh:HOST:PATH, please" spfs sink c ssh:x
refuse "no host is called -oProxy" spfs sink c "ssh:-oProxyCommand=id:/x"
refuse "ssh has no option x=1" spfs sink c "ssh:127.0.0.1:/x?x=1"
# Cut off in the middle: the port ends.
spfs sink c "ssh:127.0.0.1:$T/cut" > /dev/null
exec 7> c
cat "$T/in" >&7
one_program() { [ "$(pgrep -c -P "$DAEMON")" = 1 ]; }
wait_until 20 one_program # the others have been taken note of
pkill -9 -s "$(pgrep -P "$DAEMON")" -x ssh
wait_until 30 state c 5 failed
exec 7>&-
kill $sshd
wait $sshd || :
refuse "Connection refused" spfs sink c "ssh:127.0.0.1:$T/x"
cd /
finish
