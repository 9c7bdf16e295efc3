# Sourced by the tests of ports, after harness.sh.
#
# By attribute for root; a channel with taps is write-only for its owner, and its taps read-only: to the kernel that is no
# right to look at the attributes of the one, nor to set those of the others. The command asks the daemon.
ports() {
	if is_root; then getfattr --only-values -n spfs.ports "$1" 2> /dev/null; else spfs ports --json "$1" | jq -c .; fi
}
# port CHANNEL ID .FIELD: of spfs.ports
port() { ports "$1" | jq -r ".[] | select(.id == $2) | $3"; }
state() { [ "$(port "$1" "$2" .state)" = "$3" ]; }
source_of() { setfattr -n spfs.source -v "$2" "$1"; }
sink_of() {
	if is_root; then setfattr -n spfs.sink -v "$2" "$1"; else spfs sink "$1" "$2" > /dev/null; fi
}

# Prints a port that is free just now.
free_port() {
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

listening() { ss -Hltn "sport = :$1" | grep -q .; }
