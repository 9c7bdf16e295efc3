"""The daemon's control socket as a test speaks to it: bare, and badly."""
import array
import errno
import fcntl
import json
import socket
import termios


class Control:
    def __init__(self, mount):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(60)
        self.sock.connect(mount + "/.spfs/control")

    def send(self, request, fds=()):
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.sock.sendmsg([data], rights)

    def receive(self):
        try:
            answer = self.sock.recv(1 << 20)
        except ConnectionResetError: # told once, before why
            answer = self.sock.recv(1 << 20)
        if not answer:
            raise ConnectionAbortedError(errno.ECONNABORTED, "the daemon has closed the connection")
        return json.loads(answer)

    def ask(self, request, fds=()):
        try:
            self.send(request, fds)
        except (BrokenPipeError, ConnectionResetError): # why it was closed is still to be read
            pass
        return self.receive()

    def unread(self):
        """How much of what was sent the daemon has not taken yet."""
        left = array.array("i", [0])
        fcntl.ioctl(self.sock, termios.TIOCOUTQ, left)
        return left[0]

    def refused(self, error, request, fds=()):
        answer = self.ask(request, fds)
        assert answer.get("errno") == error and answer.get("error"), (request, answer)

    def close(self):
        self.sock.close()
