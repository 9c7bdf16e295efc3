"""
shared_socket.py MOUNT WHAT [PATH]: a user whose socket is a port of a channel of his, and who does with it what makes others wait.

  rights-source, rights-client   sends a descriptor that lingers, to a socket that was passed, or to one that listens at PATH
  rights-sink                    likewise to a listening sink, which does not even want to read
  accepts                        has the listening socket that was passed wait again in accept(2)
  source-unix, source-tcp,       has a socket that was passed wait again in its reads or writes
  sink-unix, sink-tcp
"""
import array, fcntl, os, socket, struct, sys, threading, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from control import Control

mount, what = sys.argv[1:3]
LINGER = 60

def lingering():
    """A descriptor whose last close takes LINGER seconds."""
    l = socket.socket()
    l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    l.bind(("127.0.0.1", 0))
    l.listen(1)
    s = socket.create_connection(l.getsockname())
    kept.append(l.accept()[0])
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGER))
    s.setblocking(False)
    try:
        while True:
            s.send(b"z" * 65536)
    except BlockingIOError:
        pass
    return s

def send_rights(to):
    s = lingering()
    to.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])
    threading.Thread(target=s.close, daemon=True).start() # (it lingers here, should the other have closed his before)

def attach(direction, s):
    c = Control(mount)
    assert "id" in c.ask({"op": "attach", "channel": "his", "dir": direction}, [s.fileno()])

def make_wait(s):
    fcntl.fcntl(s, fcntl.F_SETFL, fcntl.fcntl(s, fcntl.F_GETFL) & ~os.O_NONBLOCK)
    for option in socket.SO_RCVTIMEO, socket.SO_SNDTIMEO:
        s.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", 0, 0))

def pair(kind):
    if kind == "unix":
        return socket.socketpair()
    l = socket.socket()
    l.bind(("127.0.0.1", 0))
    l.listen(1)
    b = socket.create_connection(l.getsockname())
    return l.accept()[0], b

kept = []
if what == "rights-source":
    a, b = pair("unix")
    attach("source", a)
    send_rights(b)
elif what in ("rights-client", "rights-sink"):
    b = socket.socket(socket.AF_UNIX)
    b.connect(sys.argv[3])
    send_rights(b)
elif what == "accepts":
    a = socket.socket()
    a.bind(("127.0.0.1", 0))
    a.listen(5)
    attach("sink", a)
    make_wait(a)
    b = socket.create_connection(a.getsockname())
else:
    direction, kind = what.split("-")
    a, b = pair(kind)
    attach(direction, a)
    make_wait(a)
    if direction == "source":
        b.send(b"x")
print("done", flush=True)
time.sleep(120)
