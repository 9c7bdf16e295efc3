# Whose settings are whose: reading alone neither changes a channel nor holds its writer back.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
need_root "to be somebody else"
programs_for_all "$BUILD/cmd/spfs"
alice() { setpriv --reuid=4001 --regid=4001 --clear-groups "$@"; }
bob() { setpriv --reuid=4002 --regid=4002 --clear-groups "$@"; }
got() { spfs get --json "$1" "$2" | jq -r ".[\"$2\"]"; }
spfs_mount
cd "$M"
mkdir -m 777 dir
cd dir
alice mkfifo -m 644 ch

# The owner's tap holds the writer back, a mere reader's does not.
alice spfs tee ch mine
bob setfattr -n spfs.tee -v x ch 2> /dev/null && fail "the kernel lets a reader set attributes"
[ "$(got mine policy)" = block ] || fail "the owner's tap: $(got mine policy)"
alice chmod 666 mine
alice chmod 666 ch
bob spfs tee ch foreign # who may write it
[ "$(got foreign policy)" = block ] || fail "a writer's tap: $(got foreign policy)"
alice chmod 444 foreign
alice chmod 200 ch

# A link(2) by who may only read; fs.protected_hardlinks wants the owner, or reading and writing
mkfifo -m 644 roots
protected=$(cat /proc/sys/fs/protected_hardlinks)
if [ "$protected" = 0 ]; then
	bob ln roots linked
	[ "$(got linked policy)" = drop-old ] || fail "a reader's tap: $(got linked policy)"
fi

# Somebody whom the channel is taken from keeps the tap that is theirs, and may set it, but not to block.
alice mkfifo -m 666 shared
bob spfs tee shared theirs
alice chmod 444 theirs
alice chmod 200 shared
refuse 'Permission denied' bob setfattr -n spfs.policy -v block theirs
refuse 'cannot hold its writer back' bob spfs set theirs policy=block
log_has 'cannot hold its writer back'
refuse 'cannot hold its writer back' bob spfs set theirs depth=2M policy=block
bob spfs set theirs policy=drop-old depth=2M
[ "$(got theirs policy)$(got theirs depth)" = drop-old2097152 ] || fail "$(spfs get theirs)"
refuse 'no right to write the channel' bob spfs set shared replay=1M
log_has '/dir/shared: set user 4002 has no right to write the channel'
bob spfs get theirs > /dev/null
alice spfs set theirs policy=block # who may write the channel may set every tap
[ "$(got theirs policy)" = block ] || fail "the owner may not"

# A tap of somebody else
alice spfs tee shared owners
refuse 'neither made the tap' bob spfs set owners depth=2M
alice setfattr -n spfs.depth -v 2M owners 2> /dev/null && fail "the kernel lets a reader set attributes"
alice spfs set owners depth=3M
spfs set owners depth=4M
setfattr -n spfs.depth -v 5M owners
[ "$(got owners depth)" = 5242880 ] || fail "$(spfs get owners)"

# Settings of a channel that can be neither read nor written are nobody else's to see, nor a mount's to set.
alice mkfifo -m 600 private
refuse 'no right to read or write' bob spfs get private
refuse 'no right to write' bob spfs set private eof=never
refuse 'for root and the daemon' bob spfs set "$M" quota=1G
refuse 'Permission denied' bob setfattr -n spfs.quota -v 1G "$M"
chmod 777 "$M"
refuse 'Permission denied' bob setfattr -n spfs.quota -v 1G "$M" # by the daemon

# A sink of a reader at the origin loses data rather than hold the writer back, whatever it asks for.
alice mkfifo -m 644 src
port=$(free_port)
bob spfs sink src "tcp-listen:$HOST:$port?slow=block" > /dev/null
wait_until 20 listening "$port"
exec 3<> "/dev/tcp/$HOST/$port"
wait_until 20 sh -c "spfs ports --json src | jq -e '.[0].connected == 1' > /dev/null"
alice timeout 20 dd status=none if=/dev/zero of=src bs=1M count=32 conv=notrunc || fail "a reader's client holds the writer back"
exec 3<&-
mkfifo "$T/stuck"
exec 4<> "$T/stuck" 5> "$T/stuck"
bob spfs sink src --fd 5 > /dev/null
alice timeout 20 dd status=none if=/dev/zero of=src bs=1M count=32 conv=notrunc || fail "a reader's sink holds the writer back"
exec 4<&- 5>&-

# A writer's does hold it back.
alice mkfifo -m 666 open
port=$(free_port)
alice spfs sink open "tcp-listen:$HOST:$port?slow=block" > /dev/null
wait_until 20 listening "$port"
exec 3<> "/dev/tcp/$HOST/$port"
wait_until 20 sh -c "spfs ports --json open | jq -e '.[0].connected == 1' > /dev/null"
if alice timeout 2 dd status=none if=/dev/zero of=open bs=1M count=64 conv=notrunc; then fail "slow=block does not block"; fi
exec 3<&-
cd /
finish
