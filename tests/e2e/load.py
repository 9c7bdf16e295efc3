"""
The daemon's start and end while others do what they can.

load.py start|end SCRATCH ROUNDS WORKERS UID: so many rounds of an spfsd on SCRATCH/m, whose users are UID (who runs this, or
root gives way to). Ends at the first thing that is wrong, and says which round of which SEED that was.
"""
import ctypes, errno, json, os, random, resource, select, shutil, signal, socket, stat, subprocess, sys, time, traceback

what, scratch, rounds, workers, uid = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
M = scratch + "/m"
LOG = scratch + "/load-log"
# A hang is what takes longer than this, on a machine that has time for us; a sanitizer takes its own.
LIMIT = 2 * max(1, os.getloadavg()[0] / os.cpu_count()) * (5 if os.environ.get("SANITIZED") else 1)
seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
rng = random.Random(seed)
below = os.stat(scratch).st_dev
GONE = {errno.ENOTCONN, errno.ECONNABORTED, errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE}
longest = 0


def become_user():
    if os.getuid() != uid:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)


def mounted():
    """Asks nobody but the kernel."""
    with open("/proc/self/mountinfo") as f:
        return any(line.split()[4] == M for line in f)


def there():
    """As mountpoint(1) sees it."""
    try:
        return os.stat(M).st_dev != below
    except OSError as e:
        return e.errno not in GONE and e.errno != errno.ENOENT


def mount_lines():
    with open("/proc/self/mountinfo") as f:
        return [line for line in f if f" {M} " in line]


def serves():
    """A user's mount is nobody else's to look at, not even root's."""
    if os.getuid() == uid:
        return os.path.exists(M + "/.spfs/version")
    return os.waitpid(child(os.stat, M + "/.spfs/version", quiet=True), 0)[1] == 0


def until(condition, limit=LIMIT):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


def child(call, *args, quiet=False):
    pid = os.fork()
    if pid == 0:
        try:
            become_user()
            call(*args)
            os._exit(0)
        except BaseException:
            if not quiet:
                traceback.print_exc()
            os._exit(1)
    return pid


def threads(pid):
    """What it waits for, of a process that hangs."""
    for task in sorted(os.listdir(f"/proc/{pid}/task")):
        for name in "comm", "wchan", "stack":
            try:
                with open(f"/proc/{pid}/task/{task}/{name}") as f:
                    yield f"{task} {name}: {f.read().strip()}"
            except OSError:
                pass


class Failure(Exception):
    pass


class Daemon:
    def __init__(self, before=None):
        def prepare():
            become_user()
            if before:
                before()
        with open(LOG, "w") as log:
            self.process = subprocess.Popen(["spfsd", "-f", "-o", f"workers={workers}", M], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, preexec_fn=prepare)

    def ended(self):
        return self.process.poll() is not None

    def wait(self, why):
        """Its status, once nothing of it is left."""
        global longest
        began = time.monotonic()
        if not until(self.ended):
            raise Failure(f"the daemon does not end: {why}\n" + "\n".join(threads(self.process.pid)))
        longest = max(longest, time.monotonic() - began)
        if not until(lambda: not mounted()):
            raise Failure(f"a mount is left: {why}\n" + "".join(mount_lines()))
        if not until(lambda: not self.family()):
            raise Failure(f"a process is left: {why}")
        return self.process.returncode

    def family(self):
        """Its processes by their argument: who unmounts for an ordinary user is one."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm") as f:
                    if f.read() != "spfsd\n":
                        continue
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    arguments = f.read().split(b"\0")
            except OSError:
                continue
            if len(arguments) > 1 and arguments[-2] == os.fsencode(M):
                found.append(pid)
        return found

    def put_down(self):
        self.process.kill()
        # MNT_FORCE aborts the connection: a daemon that waits for itself cannot be killed before.
        ctypes.CDLL(None).umount2(os.fsencode(M), 1 | 2)
        subprocess.run(["fusermount3", "-uzq", M], stderr=subprocess.DEVNULL)
        until(self.ended)


class Crowd:
    """Processes that end by themselves, well, within the time."""

    def __init__(self):
        self.pids = []

    def add(self, call, *args):
        self.pids.append(child(call, *args))

    def some_ended(self):
        for pid in list(self.pids):
            got, status = os.waitpid(pid, os.WNOHANG)
            if got:
                self.pids.remove(pid)
                if status:
                    raise Failure(f"a user's process says {os.waitstatus_to_exitcode(status)}, see above")
        return not self.pids

    def wait(self, why):
        if not until(self.some_ended):
            raise Failure(f"a user's process was left waiting: {why}\n" +
                          "\n".join(line for pid in self.pids for line in threads(pid)))

    def put_down(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            if not until(lambda: os.waitpid(pid, os.WNOHANG)[0]):
                print(f"process {pid} cannot be killed", file=sys.stderr)


# ---- what users do

def script(name):
    """What a script does that has waited for the mount; every step succeeds."""
    path = f"{M}/{name}"
    os.mkfifo(path)
    os.link(path, path + ".tap")
    fd = os.open(path + ".file", os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(fd, b"hello")
    os.close(fd)
    os.setxattr(path, "spfs.replay", b"64K")
    os.setxattr(path, "spfs.tee", os.fsencode(name + ".tee"))
    assert json.loads(os.getxattr(path + ".tap", "spfs.stats"))["channel"] == "/" + name
    assert stat.S_ISFIFO(os.stat(path + ".file").st_mode)
    assert {name, name + ".tap", name + ".file", name + ".tee"} <= set(os.listdir(M))
    # (without a writer, open(2) of a FIFO would wait for one for ever, also when the daemon has just gone; and so would
    # select(2): who waits for this process waits for longer)
    fd = os.open(path + ".file", os.O_RDONLY | os.O_NONBLOCK)
    select.select([fd], [], [], LIMIT / 2)
    assert os.read(fd, 100) == b"hello"
    os.close(fd)
    with open(M + "/.spfs/version") as f:
        assert f.read().startswith("spfs")
    for end in ".tee", ".file", ".tap", "":
        os.unlink(path + end)


def patient(name, until_gone):
    while not there():
        time.sleep(0.0005)
    go_on(name, until_gone)


def impatient(name, until_gone):
    """Its first request may be the first of all."""
    path = f"{M}/{name}.first"
    while True:
        try:
            os.mkfifo(path)
            if os.lstat(path).st_dev != below:
                os.unlink(path)
                break
            os.unlink(path)
        except (FileNotFoundError, FileExistsError): # one here, the other there; and what is left here of that
            pass
        except OSError as e:
            if not until_gone or e.errno not in GONE:
                raise
            return
        if until_gone and os.path.exists(scratch + "/over"):
            return
        time.sleep(0.0005)
    go_on(name, until_gone)


def curious(name, until_gone):
    """The files of the daemon's own first."""
    while True:
        try:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect(M + "/.spfs/control")
            s.send(json.dumps({"op": "quota"}).encode())
            answer = s.recv(65536)
            if not answer:
                raise BrokenPipeError(errno.EPIPE, "no answer")
            json.loads(answer)
            with open(M + "/.spfs/stats.json") as f:
                assert json.load(f)["mount"] == M
            break
        except OSError as e:
            if e.errno not in (errno.ENOENT, errno.ENOTDIR) and not (until_gone and e.errno in GONE):
                raise
        finally:
            s.close()
        if until_gone and os.path.exists(scratch + "/over"):
            return
        time.sleep(0.0005)
    go_on(name, until_gone)


def go_on(name, until_gone):
    for i in range(3):
        try:
            script(f"{name}{i}")
        except (OSError, AssertionError):
            if not until_gone or (there() and not until(lambda: not there())):
                raise
            return


def attributes(n):
    os.getxattr(f"{M}/c{n % 4}", "spfs.stats")
    os.getxattr(f"{M}/c{n % 4}", "spfs.size")


def settings(n):
    os.setxattr(f"{M}/c{n % 4}", "spfs.replay", b"64K" if n % 2 else b"0")
    os.setxattr(f"{M}/p", "spfs.packets", b"1" if n % 2 else b"0")


def links(n):
    path = f"{M}/link"
    os.link(f"{M}/c{n % 4}", path)
    fd = os.open(f"{M}/c{n % 4}", os.O_WRONLY | os.O_NONBLOCK)
    os.write(fd, b"x" * 5000)
    os.close(fd)
    os.unlink(path)


def files(n):
    path = f"{M}/file"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK, 0o644)
    os.write(fd, b"x" * 1000)
    os.close(fd)
    os.unlink(path)


def tees(n):
    path = f"{M}/teed"
    os.mkfifo(path)
    os.setxattr(path, "spfs.tee", b"tee")
    with open(M + "/.spfs/stats.json") as f:
        f.read()
    os.unlink(path)
    os.unlink(M + "/tee")


def ports(n):
    os.mkfifo(M + "/ported")
    os.setxattr(M + "/ported", "spfs.source", b"file:/dev/zero")
    os.setxattr(M + "/ported", "spfs.sink", b"file:/dev/null")
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(M + "/.spfs/control")
    s.send(json.dumps({"op": "detach", "channel": "/ported", "id": 1}).encode())
    s.recv(65536)
    s.close()
    os.unlink(M + "/ported")


def hammer(call, tell):
    """Until the mount has gone. What it does is refused now and then, for the others are at it as well."""
    n = 0
    while True:
        try:
            call(n)
        except OSError as e:
            if not there():
                break
            if e.errno in (errno.EBADF, errno.EIO, errno.ENOSYS):
                raise
        except ValueError: # an answer that was cut off
            if not there():
                break
            raise
        n += 1
        if n == 3:
            os.write(tell, b"x")
        if n % 16 == 0 and not there(): # where it works as well
            break
    os._exit(0)


# ---- rounds

def start_whole():
    """Nobody notices that it has just begun."""
    crowd.add(patient, "patient", False)
    crowd.add(impatient, "impatient", False)
    crowd.add(curious, "curious", False)
    began = time.monotonic()
    daemon = begin()
    crowd.wait("the start")
    took = time.monotonic() - began
    daemon.process.terminate()
    status = daemon.wait("SIGTERM")
    assert status == 0, f"status {status}"
    return took


def start_ended(took):
    """SIGTERM at any moment of it."""
    for call in patient, impatient, curious:
        crowd.add(call, call.__name__, True)
    daemon = begin()
    time.sleep(rng.random() * took * 1.2)
    daemon.process.terminate()
    status = daemon.wait("SIGTERM in its start")
    # (before it has a handler it is killed, and has done nothing yet)
    assert status in (0, -signal.SIGTERM), f"status {status}"
    open(scratch + "/over", "w").close()
    crowd.pids[0:1] = stop(crowd.pids[0:1]) # it may wait for a mount that never comes
    crowd.wait("SIGTERM in the start")


def stop(pids):
    for pid in pids:
        if not os.waitpid(pid, os.WNOHANG)[0]:
            os.kill(pid, signal.SIGKILL)
            if not until(lambda: os.waitpid(pid, os.WNOHANG)[0]):
                raise Failure("a user's process cannot be killed\n" + "\n".join(threads(pid)))
    return []


def start_failed(n, took):
    """Half-way it cannot go on: it says why, and nothing is left."""
    few = rng.randrange(3, 64)
    before = None
    if n % 3 == 0:
        how = f"{few} descriptors"
        before = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (few, few))
    elif n % 3 == 1 and uid:
        few = rng.randrange(0, 8)
        how = f"{few} processes"
        before = lambda: few_processes(few)
    else:
        how = "its mount point goes"
    daemon = begin(before)
    if before is None:
        time.sleep(rng.random() * took / 2)
        try:
            os.rmdir(M)
        except OSError as e:
            assert e.errno == errno.EBUSY, e
    if not until(lambda: daemon.ended() or serves()):
        raise Failure(f"it neither starts nor ends: {how}\n" + "\n".join(threads(daemon.process.pid)))
    daemon.process.terminate()
    status = daemon.wait(how)
    with open(LOG) as f:
        said = f.read()
    assert (status == 0) == (": serving " in said) and status >= 0, f"{how}: status {status}"
    assert said.strip(), f"{how}: not a word"
    if not os.path.exists(M):
        os.mkdir(M)


LAZY = {"umount": ["umount", "-l"], "fusermount3": ["fusermount3", "-uz"]}
WAYS = "TERM", ["umount"], ["fusermount3", "-u"], "INT", LAZY["umount"], LAZY["fusermount3"]


def unmounted(way):
    return subprocess.run(way + [M], preexec_fn=become_user, stderr=subprocess.DEVNULL).returncode == 0


def end_hammered(n):
    daemon = begin()
    if not until(lambda: daemon.ended() or serves()):
        raise Failure("it does not start")
    made = child(lambda: [os.mkfifo(f"{M}/{name}") for name in ("c0", "c1", "c2", "c3", "p")])
    assert os.waitpid(made, 0)[1] == 0
    told, tell = os.pipe()
    calls = attributes, settings, links, files, tees, ports
    for call in calls:
        crowd.add(hammer, call, tell)
    os.close(tell)
    begun = 0
    os.set_blocking(told, False)

    def all_begun():
        nonlocal begun
        try:
            begun += len(os.read(told, 16))
        except BlockingIOError:
            pass
        return begun == len(calls)
    if not until(all_begun):
        crowd.some_ended()
        raise Failure(f"only {begun} of {len(calls)} have begun\n" + "\n".join(threads(daemon.process.pid)))
    os.close(told)
    time.sleep(rng.random() * 0.15)
    way = WAYS[n % len(WAYS)]
    if isinstance(way, str):
        daemon.process.send_signal(getattr(signal, "SIG" + way))
    elif not until(lambda: unmounted(way), 0.3) and not until(lambda: unmounted(LAZY[way[0]])):
        # (what somebody has open just now makes it busy; to insist on that there is another way)
        raise Failure(f"{way} in vain")
    status = daemon.wait(str(way))
    assert status == 0, f"{way}: status {status}"
    crowd.wait(str(way))


def few_processes(few):
    """In the daemon to be. (LeakSanitizer makes a process of its own in the end, and fails without.)"""
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    resource.setrlimit(resource.RLIMIT_NPROC, (few, few))


def begin(before=None):
    global current
    current = Daemon(before)
    return current


def clean():
    for path in M, scratch + "/over":
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)
    os.mkdir(M)
    os.chown(M, uid, -1)
    if any(name.startswith("sanitizer") for name in os.listdir(scratch)):
        raise Failure("a sanitizer has something to say")


current = None
for n in range(rounds):
    crowd = Crowd()
    try:
        clean()
        if what == "end":
            end_hammered(n)
            continue
        took = start_whole()
        clean()
        start_ended(took)
        clean()
        start_failed(n, took)
    except (Failure, AssertionError, OSError) as e:
        print(f"round {n}, SEED={seed}, user {uid}, {workers} workers: {e!r}" if not isinstance(e, Failure) else
              f"round {n}, SEED={seed}, user {uid}, {workers} workers: {e}", file=sys.stderr)
        if current:
            current.put_down()
        crowd.put_down()
        with open(LOG, errors="replace") as f:
            sys.stderr.writelines(["--- its log\n", *f.readlines()[-40:]])
        sys.exit(1)
clean()
print(f"{what}: {rounds} rounds, user {uid}, {workers} workers, the longest end {longest:.2f} s")
