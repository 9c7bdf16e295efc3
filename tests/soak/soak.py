"""
The soak; see scripts/soak --help, which runs it.

A daemon lives for some rounds; the next one has few descriptors, or little memory. A round is some 20 seconds. Streams of
two users, whose every byte is looked at, go through it while writers and readers are killed and stopped, random operations
are done, ports fail, and the daemon is stopped. Then everything is removed, and the daemon has what it had before.
"""
import argparse, collections, ctypes, os, random, re, resource, shutil, signal, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE) + "/e2e"]
sys.dont_write_bytecode = True
from children import Child, Numbers, words
from control import Control
from daemon import Daemon
from events import Events
from streams import Wrong, fail, over
from users import USERS, Users, operations

IN_BYTES = 300000
SMALL_BYTES = 128 << 10
NOBODY = 65534 # of whom fusermount3(1) wants to know the name
ROUNDS = 6 # of one daemon's life
WORKERS_REST = 65 # seconds until workers without channels have gone


class Soak(Users, Events):
    def __init__(self, args, scratch):
        self.args = args
        self.scratch = scratch
        self.mount = scratch + "/m"
        self.counts = collections.Counter()
        self.looked = Numbers("at", "count", "longest")
        self.writers = 0
        self.stopped = 0.0
        self.peak = {"descriptors": 0, "memory": 0} # of any daemon
        self.daemon_uid = NOBODY if args.user else 0
        self.uid = {u: self.daemon_uid or u for u in USERS} # an ordinary user's daemon serves nobody else

    # ---- the daemon

    def prepare(self):
        os.chmod(self.scratch, 0o755)
        for name, mode in ("m", 0o755), ("out", 0o1777), ("small", 0o1777), ("broken", 0o755), ("bin", 0o755):
            os.mkdir(f"{self.scratch}/{name}")
            os.chmod(f"{self.scratch}/{name}", mode)
        os.chown(self.mount, self.daemon_uid, self.daemon_uid)
        for program in "spfsd", "spfs":
            shutil.copy(f"{self.args.build}/cmd/{program}", self.scratch + "/bin")
        with open(self.scratch + "/in", "wb") as f:
            f.write(words(0, IN_BYTES // 8))
        os.chmod(self.scratch + "/in", 0o644)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_BYTES},mode=1777", "small", self.scratch + "/small"],
                       check=True)
        # What udev would have done.
        os.mknod(self.scratch + "/fuse", 0o20666, os.makedev(10, 229))
        os.chmod(self.scratch + "/fuse", 0o666)
        subprocess.run(["mount", "--bind", self.scratch + "/fuse", "/dev/fuse"], check=True)
        subprocess.run([self.args.build + "/tests/soak/broken-files", "-o", "allow_other,auto_unmount",
                        self.scratch + "/broken"], check=True)
        operations.mount, operations.scratch = self.mount, self.scratch + "/out"
        shutil.copy(self.scratch + "/in", self.scratch + "/out/in")

    def start(self, limits):
        self.daemon = Daemon(self.scratch + "/bin/spfsd", self.mount, self.scratch + "/log", self.daemon_uid,
                             "workers=2", limits)
        self.as_daemon(self.wait_for_mount)
        self.as_daemon(self.make_folders)
        self.at_rest = self.daemon.has()
        self.at_rest["memory"] = self.daemon.status("VmSize") * 1024

    def wait_for_mount(self):
        while not os.path.exists(self.mount + "/.spfs/version"):
            with open(f"/proc/{self.daemon.pid}/stat") as f:
                if f.read().rpartition(")")[2].split()[0] == "Z":
                    fail("the daemon has ended at once")
            time.sleep(0.01)

    def make_folders(self):
        for u in USERS:
            os.mkdir(f"{self.mount}/u{u}")
            os.chmod(f"{self.mount}/u{u}", 0o777)

    def aside(self, uid, call, *args):
        """A user's mount is nobody else's to look at, not even root's. And what hangs there hangs aside."""
        child = Child(call.__name__, uid, call, *args)
        if not child.wait(self.args.limit):
            where = child.where()
            child.kill()
            fail(f"{child.name}{args} hangs:\n{where}\nthe daemon:\n{self.where()}")
        if child.status:
            fail(f"{child.name}{args} ended with {child.status}")

    def as_daemon(self, call, *args):
        self.aside(self.daemon_uid, call, *args)

    def as_user(self, u, call, *args):
        self.aside(self.uid[u], call, *args)

    def where(self):
        child = Child.__new__(Child)
        child.pid = self.daemon.pid
        return child.where()

    # ---- what is looked at all the time

    def check(self):
        if not self.daemon.alive():
            fail(f"the daemon has ended with {self.daemon.process.returncode}")
        self.peak["descriptors"] = max(self.peak["descriptors"], self.daemon.descriptors())
        self.peak["memory"] = max(self.peak["memory"], self.daemon.status("VmSize") * 1024)
        self.check_reports()
        quiet = time.monotonic() - self.looked["at"] / 1000
        if quiet > self.args.limit and not self.daemon.stopped_since and \
                time.monotonic() - self.went_on > self.args.limit:
            fail(f"nothing was answered for {quiet:.1f} s\n{self.where()}")
        for child in self.children:
            if child.ended() and child.status not in (0, -signal.SIGKILL):
                fail(f"{child.name} has ended with {child.status}")

    # ---- a round

    def round(self, seconds, seed):
        rng = random.Random(seed)
        over["over"] = 0
        self.children, self.survivors, self.victims, self.stoppable, self.chaoses, self.undo = [], [], [], [], {}, []
        self.went_on = time.monotonic()
        self.looked["at"] = int(time.monotonic() * 1000)
        carried = {u: Numbers("carried", "refused", "handles") for u in USERS}
        self.children.append(Child("look", self.daemon_uid, self.look))
        for u in USERS:
            self.begin_survivor(u, rng)
            self.begin_victim(u, rng)
        for u in USERS:
            self.add("carry", u, self.carry, u, carried[u])
            self.add("handles", u, self.handles, u, carried[u])
            self.begin_chaos(u, rng)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.see_to_victims(rng)
                self.see_to_chaos(rng)
                self.event(rng)
                next_event = time.monotonic() + rng.uniform(0.01, 0.4)
                while time.monotonic() < next_event:
                    self.undo_due()
                    self.check()
                    time.sleep(0.03)
            self.end_round(rng)
        finally:
            self.undo_due(True)
            for c in self.children:
                c.kill()
                c.wait(5)
        for u in USERS:
            self.counts["files carried"] += carried[u]["carried"]
            self.counts["refused to carry"] += carried[u]["refused"]
            self.counts["handles read again"] += carried[u]["handles"]

    def end_round(self, rng):
        self.undo_due(True)
        over["over"] = 1
        for v in self.victims:
            if v[0]:
                v[0].kill()
                v[0].wait(5)
            if v[1] == "victim.read":
                self.counts["words checked of those killed"] += v[5]["words"]
        self.kill_chaos(rng)
        for child, _ in self.chaoses.values():
            child.wait(5)
        self.see_to_chaos(rng, False)
        self.let_go_on(rng)
        for parts, went, came, number in self.survivors:
            for child in parts:
                if not child.wait(self.args.limit):
                    fail(f"{child.name} does not end; written {went['written']}, read {[n['next'] for n in came]}:\n" +
                         f"{child.where()}\nthe daemon:\n{self.where()}")
            self.check()
            for n in came:
                if n["next"] != went["written"] or (n["writer"] != number and went["written"]):
                    fail(f"{n['next']} words came of {went['written']}")
                self.counts["words checked of survivors"] += n["words"]
            self.counts["streams that survived"] += len(came)
        for child in self.children:
            if child.name in ("carry", "handles", "look") and not child.wait(self.args.limit):
                fail(f"{child.name} does not end:\n{child.where()}\nthe daemon:\n{self.where()}")
        self.check()
        self.as_daemon(self.remove_all)
        self.counts["rounds"] += 1

    def remove_all(self):
        for u in USERS:
            for name in os.listdir(self.folder(u)):
                os.unlink(f"{self.folder(u)}/{name}")
        control = Control(self.mount)
        end = time.monotonic() + self.args.limit
        while any(q["used"] for q in control.ask({"op": "quota"})["quotas"]):
            if time.monotonic() > end:
                fail(f"charged for nothing: {control.ask({'op': 'quota'})}")
            time.sleep(0.05)

    def settle(self, most, seconds):
        """What the daemon has once it has given back what it can; fails where it still has more than @most then."""
        end = time.monotonic() + seconds
        while True:
            has = self.daemon.has()
            if all(has[k] <= n for k, n in most.items()):
                return has
            if time.monotonic() > end:
                fail(f"left behind: {has}, where {most} is all that may be:\n" + self.descriptors())
            time.sleep(0.1)

    def descriptors(self):
        links = []
        for fd in os.listdir(f"/proc/{self.daemon.pid}/fd"):
            try:
                links.append(re.sub(r"\d+", "N", os.readlink(f"/proc/{self.daemon.pid}/fd/{fd}")))
            except OSError:
                pass
        return str(collections.Counter(links))

    def life(self, limits, end, rng):
        """One daemon, from its start to its end."""
        most = {}
        self.scarce = bool(limits or self.args.sysctls)
        self.start(limits)
        for n in range(ROUNDS):
            left = end - time.monotonic()
            if left <= 0 and most:
                break
            self.round(max(3, min(20, left)), rng.random())
            has = self.settle(most, self.args.limit)
            if not most:
                most = {"RSS": int(has["RSS"] * (4 if self.args.sanitizer else 1.25)) + (16 << 10)}
            print(f"round {self.counts['rounds']}: " + ", ".join(f"{k} {v}" for k, v in has.items()) +
                  f", longest answer {self.looked['longest'] / 1000:.2f} s" +
                  f"; at most {self.peak['descriptors']} descriptors, {self.peak['memory'] >> 20} MiB", flush=True)
        # A worker of the daemon's own user and one that is shared may stay, each with a thread for what may wait for a disk.
        most["descriptors"] = self.at_rest["descriptors"] + 12
        most["threads"] = self.at_rest["threads"] + 4
        has = self.settle(most, WORKERS_REST + self.args.limit)
        print("at rest: " + ", ".join(f"{k} {v}" for k, v in has.items()), flush=True)
        self.end()
        self.counts["daemons"] += 1

    def lives(self, rng):
        """How one daemon after another is limited. Of descriptors, quotas leave some to all; of memory, nothing does."""
        yield {}
        while True:
            yield {resource.RLIMIT_NOFILE: rng.choice((500, 700, 1000))}
            if not self.args.sanitizer: # which need their own
                rest, peak = self.at_rest["memory"], self.peak["memory"]
                yield {resource.RLIMIT_AS: int(rest + rng.uniform(0.2, 0.9) * (peak - rest))}
            yield {}

    def run(self):
        rng = random.Random(self.args.seed)
        end = time.monotonic() + self.args.minutes * 60
        for limits in self.lives(rng):
            what = {resource.RLIMIT_NOFILE: "descriptors", resource.RLIMIT_AS: "bytes of memory"}
            print("a daemon with at most " + ", ".join(f"{n} {what[k]}" for k, n in limits.items()) if limits else
                  "a daemon", flush=True)
            self.life(limits, end, rng)
            if time.monotonic() > end:
                break

    def end(self):
        self.stopped += self.daemon.stopped
        self.daemon.process.terminate()
        began = time.monotonic()
        while self.daemon.alive():
            if time.monotonic() - began > self.args.limit:
                fail(f"the daemon does not end:\n{self.where()}")
            time.sleep(0.01)
        if self.daemon.process.returncode:
            fail(f"the daemon ended with {self.daemon.process.returncode}")
        self.check_reports()
        with open("/proc/self/mounts") as f:
            if f" {self.mount} " in f.read():
                fail("a mount is left")

    def check_reports(self):
        reports = [n for n in os.listdir(self.scratch) if n.startswith("sanitizer")]
        if reports:
            fail(f"a sanitizer has reported: {reports}")

    def clean(self):
        if hasattr(self, "daemon") and self.daemon.alive():
            self.daemon.go_on()
            self.daemon.process.kill()
            ctypes.CDLL(None).umount2(os.fsencode(self.mount), 1 | 2)
            self.daemon.process.wait(10)
        subprocess.run(["umount", "-l", self.scratch + "/broken"], stderr=subprocess.DEVNULL)
        subprocess.run(["umount", "-l", self.scratch + "/small"], stderr=subprocess.DEVNULL)

    def tell(self):
        self.counts["answers to an administrator"] = self.looked["count"]
        for what, n in sorted(self.counts.items()):
            print(f"{n:14,} {what}")
        print(f"{self.stopped:14.1f} seconds that the daemon was stopped")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", required=True)
    p.add_argument("--minutes", type=float, default=10)
    p.add_argument("--seed", default=str(random.randrange(1 << 32)))
    p.add_argument("--limit", type=int, default=20)
    p.add_argument("--user", action="store_true")
    p.add_argument("--sysctls", action="store_true")
    p.add_argument("--sanitizer", action="store_true")
    p.add_argument("--scratch", required=True)
    args = p.parse_args()
    soak = Soak(args, args.scratch)
    print(f"seed {args.seed}", flush=True)
    for s in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(s, lambda number, frame: sys.exit(128 + number))
    status = 1
    try:
        soak.prepare()
        soak.run()
        status = 0
    except Wrong as e:
        print(f"FAILED: {e}\nseed {args.seed}", file=sys.stderr)
    finally:
        try:
            soak.tell()
        finally:
            soak.clean()
    sys.exit(status)


main()
