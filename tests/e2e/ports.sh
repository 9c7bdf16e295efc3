# Sourced by the tests of ports, after harness.sh.
ports() { getfattr --only-values -n spfs.ports "$1" 2> /dev/null; }
# port CHANNEL ID .FIELD: of spfs.ports
port() { ports "$1" | jq -r ".[] | select(.id == $2) | $3"; }
state() { [ "$(port "$1" "$2" .state)" = "$3" ]; }
source_of() { setfattr -n spfs.source -v "$2" "$1"; }
sink_of() { setfattr -n spfs.sink -v "$2" "$1"; }

# Prints a port that is free just now.
free_port() {
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

listening() { ss -Hltn "sport = :$1" | grep -q .; }
