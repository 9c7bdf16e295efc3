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

# An address of the loopback that is this test's alone, so no other takes a port of it meanwhile.
HOST=127.$((16 + ($$ >> 16 & 63))).$(($$ >> 8 & 255)).$(($$ & 255))

# free_port [ADDRESS]: prints one of this test's address that is free just now
free_port() {
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.bind((sys.argv[1], 0))
print(s.getsockname()[1])' "${1:-$HOST}"
}

# listening PORT [ADDRESS]
listening() { ss -Hltn "src ${2:-$HOST}:$1" | grep -q .; }
