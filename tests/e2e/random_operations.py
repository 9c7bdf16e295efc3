"""
random_operations.py MOUNT SCRATCH COUNT SEED: COUNT random operations by two users on channels, taps, settings, ports,
readers and writers. What is refused is refused with one of the errors that the operation may have; in the end
everything that was made is removed.
"""
import errno, os, random, signal, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from control import Control

mount = scratch = None # set before anything is done
USERS = (4001, 4002)
VALUES = {
    "size": ["4K", "64K", "1M", "2M", "3", "-1"], "depth": ["0", "4K", "1M", "20M", "1G", "1T", "x"],
    "policy": ["block", "drop-new", "drop-old", "no"], "idle": ["keep", "discard"],
    "replay": ["0", "100", "64K", "3M", "900M"], "eof": ["never", "last-writer"], "packets": ["0", "1", "0"],
    "stable": ["0", "1"], "rate": ["0", "4M", "100M"],
}
MAY_FAIL = {errno.ENOENT, errno.EEXIST, errno.EACCES, errno.EPERM, errno.EBUSY, errno.EAGAIN, errno.EDQUOT,
            errno.ENXIO, errno.EPIPE, errno.EINVAL, errno.ERANGE, errno.ENODATA, errno.EMSGSIZE, errno.ELOOP,
            errno.EMFILE, errno.ENOTDIR, errno.ENOTCONN}


class User:
    """
    Its process for what only a process of the user's own can do; it ends by being killed, too. @real: who is meant, where
    the daemon serves nobody else.
    """

    def __init__(self, uid, real=None):
        self.uid = uid
        self.real = real or uid
        self.folder = "/u%d" % uid
        self.open = []
        self.control = None

    def act(self, rng, steps):
        os.setgroups([])
        os.setgid(self.real)
        os.setuid(self.real)
        os.chdir(mount)
        self.control = Control(mount)
        done = {}
        for _ in range(steps):
            op = rng.choices(OPS, WEIGHTS)[0]
            try:
                err = op(self, rng) or 0
            except OSError as e:
                err = e.errno
            assert err == 0 or err in MAY_FAIL, (op.__name__, errno.errorcode.get(err, err))
            key = op.__name__, errno.errorcode.get(err, "ok")
            done[key] = done.get(key, 0) + 1
        return done

    def ask(self, request, fds=()):
        answer = self.control.ask(request, fds)
        return getattr(errno, answer["errno"]) if "errno" in answer else 0, answer

    def path(self, rng, name=None):
        user = rng.choice(USERS + (self.uid,) * 4)
        return "u%d/%s" % (user, name or rng.choice("cccctttt") + str(rng.randrange(6)))

    def own(self, rng, kind):
        return "u%d/%s%d" % (self.uid, kind, rng.randrange(6))


def make(u, rng):
    os.mkfifo(u.own(rng, "c"), rng.choice((0o666, 0o644, 0o600)))

def create(u, rng):
    fd = os.open(u.own(rng, "c"), os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | rng.choice((0, os.O_EXCL)), 0o666)
    u.open.append(fd)

def tap(u, rng):
    name = u.path(rng)
    target = u.own(rng, "t")
    if rng.random() < 0.5:
        os.link(name, target)
    else:
        os.setxattr(name, "spfs.tee", ("../" + target).encode())

def remove(u, rng):
    os.unlink(u.path(rng))

def move(u, rng):
    os.rename(u.path(rng), u.path(rng))

def setting(u, rng):
    key = rng.choice(list(VALUES))
    value = rng.choice(VALUES[key])
    if rng.random() < 0.3:
        os.setxattr(u.path(rng), "spfs." + key, value.encode())
        return 0
    return u.ask({"op": "set", "channel": "/" + u.path(rng), "settings": {key: value}})[0]

def look(u, rng):
    if rng.random() < 0.5:
        return u.ask({"op": "get", "channel": "/" + u.path(rng)})[0]
    if rng.random() < 0.2:
        return u.ask({"op": "quota"})[0]
    os.getxattr(u.path(rng), rng.choice(("spfs.ports", "spfs.depth", "spfs.size", "spfs.taps")))

def source(u, rng):
    uri = "file:%s/%s" % (scratch, rng.choice(("in", "in", "missing")))
    return u.ask({"op": "attach", "channel": "/" + u.path(rng), "dir": "source", "uri": uri})[0]

def sink(u, rng):
    uri = "file:%s/out%d.%d" % (scratch, u.uid, rng.randrange(4))
    return u.ask({"op": "attach", "channel": "/" + u.path(rng), "dir": "sink", "uri": uri})[0]

def detach(u, rng):
    channel = "/" + u.path(rng)
    err, answer = u.ask({"op": "ports", "channel": channel})
    if err or not answer["ports"]:
        return err
    return u.ask({"op": "detach", "channel": channel, "id": rng.choice(answer["ports"])["id"]})[0]

def opened(u, rng):
    flags = rng.choice((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY))
    u.open.append(os.open(u.path(rng), flags | os.O_NONBLOCK))
    if len(u.open) > 12:
        os.close(u.open.pop(rng.randrange(len(u.open))))

def moved(u, rng):
    for fd in rng.sample(u.open, min(len(u.open), 4)):
        try:
            if os.get_blocking(fd):
                continue
            if rng.random() < 0.5:
                os.write(fd, b"x" * rng.choice((1, 100, 4096, 70000)))
            else:
                os.read(fd, rng.choice((1, 4096, 1 << 20)))
        except OSError as e:
            if e.errno != errno.EBADF:
                assert e.errno in MAY_FAIL, e

def closed(u, rng):
    if u.open:
        os.close(u.open.pop(rng.randrange(len(u.open))))

OPS = (make, create, tap, remove, move, setting, look, source, sink, detach, opened, moved, closed)
WEIGHTS = (6, 1, 10, 5, 1, 16, 6, 3, 3, 3, 14, 24, 8)


def run(u, steps, seed, out):
    """A process of the user's; what it did is written to @out, and then it waits to be killed."""
    pid = os.fork()
    if pid:
        return pid
    try:
        done = u.act(random.Random(seed), steps)
        os.write(out, repr(done).encode())
        signal.pause()
    except BaseException as e:
        import traceback
        traceback.print_exc()
        os.write(out, b"{}") # (the traceback says why)
    os._exit(1)


def main():
    global mount, scratch
    mount, scratch, count, rng = sys.argv[1], sys.argv[2], int(sys.argv[3]), random.Random(int(sys.argv[4]))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    users = [User(uid) for uid in USERS]
    total = {}
    made = 0
    while made < count:
        running = []
        for u in users:
            rd, wr = os.pipe()
            steps = rng.randrange(50, 400)
            made += steps
            running.append((run(u, steps, rng.random(), wr), rd))
            os.close(wr)
        for pid, rd in running:
            done = eval(os.read(rd, 65536) or b"{}")
            os.close(rd)
            for key, n in done.items():
                total[key] = total.get(key, 0) + n
            os.kill(pid, signal.SIGKILL) # with all that it has open
            status = os.waitpid(pid, 0)[1]
            assert done and status == signal.SIGKILL, (pid, status)
    assert sum(total.values()) >= count, total
    for op in OPS:
        assert total.get((op.__name__, "ok")), "%s never went well: %s" % (op.__name__, total)
    print(" ".join("%s:%s=%d" % (*key, n) for key, n in sorted(total.items())))
    for u in users:
        for name in os.listdir(mount + u.folder):
            os.unlink(mount + u.folder + "/" + name)


if __name__ == "__main__":
    main()
