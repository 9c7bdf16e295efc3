"""What two users and an administrator do in a round."""
import errno, filecmp, json, os, random, signal, time

import random_operations as operations
from children import Child, Numbers, words
from control import Control
from streams import SHORT, change, fail, gone, over, make, patiently, read, read_once, write

USERS = operations.USERS
operations.MAY_FAIL |= SHORT | {errno.EUSERS, errno.EINTR}
# Who was not served for want of descriptors asks again on a connection that has been closed.
CLOSED = {errno.ECONNABORTED}
SHORT_NAMES = {errno.errorcode[e] for e in SHORT} | {"EUSERS"}


class Users:
    """The part of the soak that has processes of theirs."""

    def folder(self, u):
        return f"{self.mount}/u{u}"

    def add(self, name, u, call, *args):
        child = Child(name, self.uid[u], call, *args)
        self.children.append(child)
        return child

    def writer(self):
        self.writers += 1
        return self.writers

    def begin_survivor(self, u, rng):
        """A stream to two taps, all of it: whoever is stopped, nobody is killed."""
        path = f"{self.folder(u)}/survivor"
        taps = [path + ".1", path + ".2"]
        settings = {"depth": rng.choice(("0", "64K", "1M", "8M"))}
        self.as_user(u, make, path, taps, settings)
        went = Numbers("written")
        came = [Numbers("writer", "next", "words") for _ in taps]
        number = self.writer()
        parts = [self.add("survivor.read", u, read_once, tap, n) for tap, n in zip(taps, came)]
        parts.append(self.add("survivor.write", u, write, path, number, went, rng.random(), 20 << 20))
        self.survivors.append((parts, went, came, number))
        self.stoppable += parts

    def begin_victim(self, u, rng):
        """Its writer and its readers are killed, and others come."""
        path = f"{self.folder(u)}/victim"
        taps = [path + ".block", path + ".old", path + ".new"]
        self.as_user(u, make, path, taps)
        for tap, policy in (taps[1], "drop-old"), (taps[2], "drop-new"):
            self.as_user(u, patiently, change, tap, {"policy": policy})
        for tap in taps:
            numbers = Numbers("writer", "next", "words")
            lossy = tap != taps[0]
            self.victims.append([None, "victim.read", u, read, tap, numbers, lossy, 0.002 if lossy else 0])
        self.victims.append([None, "victim.write", u, write, path])

    def see_to_victims(self, rng):
        for v in self.victims:
            if v[0] and not v[0].ended():
                continue
            extra = () if v[1].endswith("read") else (self.writer(), Numbers("written"), rng.random(), 8 << 20)
            v[0] = self.add(*v[1:4], *v[4:], *extra)

    def carry(self, u, numbers):
        """A file through a channel to three sinks: a good one, a full disk, and one that fails."""
        path, n = f"{self.folder(u)}/ports", 0
        names = {"good": f"{self.scratch}/out/good.{u}", "full": f"{self.scratch}/small/full.{u}",
                 "broken": f"{self.scratch}/broken/sink.{u}"}
        while not over["over"]:
            taps = {name: f"{path}.{name}" for name in names}
            make(path, list(taps.values()))
            for name in "full", "broken": # or they would hold the others back once they have failed
                patiently(change, taps[name], {"policy": "drop-new"})
            control = patiently(Control, self.mount)
            try:
                ids = {name: self.attach(control, taps[name], "sink", uri) for name, uri in names.items()}
                source = self.attach(control, path, "source", self.scratch + ("/broken/source" if n % 4 == 3 else "/in"))
                if None in (*ids.values(), source):
                    numbers["refused"] += 1
                    continue
                if n % 4 == 3:
                    self.expect(control, path, source, "EIO")
                else:
                    self.expect(control, path, source, None)
                    if self.expect(control, taps["good"], ids["good"], None) and \
                            not filecmp.cmp(names["good"], self.scratch + "/in", False):
                        fail("the file that was carried is another")
                    self.expect(control, taps["full"], ids["full"], "ENOSPC")
                    self.expect(control, taps["broken"], ids["broken"], "EIO")
                numbers["carried"] += 1
                n += 1
            except OSError as e:
                if e.errno not in SHORT | (CLOSED if self.scarce else set()):
                    raise
                numbers["refused"] += 1
            finally:
                control.close()
                for name in path, *taps.values(), names["full"]:
                    gone(name)

    def attach(self, control, path, direction, file):
        """Its id, or None where it is refused for want of something."""
        request = {"op": "attach", "channel": path[len(self.mount):], "dir": direction, "uri": "file:" + file}
        answer = control.ask(request)
        while answer.get("errno") == "EBUSY" and not over["over"]: # a sink of the round before still has the file
            time.sleep(0.02)
            answer = control.ask(request)
        if "id" not in answer and answer["errno"] not in SHORT_NAMES and not over["over"]:
            fail(f"attach {direction} {file}: {answer}")
        return answer.get("id")

    def expect(self, control, path, port, error):
        """Whether the port ends so, and not for want of something."""
        answer = control.ask({"op": "wait", "channel": path[len(self.mount):], "id": port,
                              "timeout": self.args.limit * 900})
        state = answer.get("port") or fail(f"wait: {answer}")
        if state["errno"] in SHORT_NAMES:
            return False
        if state["state"] != ("failed" if error else "done") or state["errno"] != error:
            with open(self.mount + "/.spfs/stats.json") as f:
                stats = f.read()
            fail(f"{path} shall end with {error}: {state}\n{stats}")
        return True

    def handles(self, u, numbers):
        """`> name`, and what was written read again; every third one is given up half-way."""
        path, n = f"{self.folder(u)}/handle", 0
        while not over["over"]:
            n += 1
            # (nobody reads yet: where pipes may be short, more than a page would wait)
            data = words(0, 100000 if not n % 3 else 500 if self.args.user or self.args.sysctls else 3000)
            gone(path)
            fd = patiently(os.open, path, os.O_WRONLY | os.O_CREAT | (os.O_NONBLOCK if not n % 3 else 0), 0o644)
            try:
                os.write(fd, data)
            except OSError as e:
                if e.errno not in SHORT:
                    raise
                n = 3
            os.close(fd)
            if n % 3:
                fd = patiently(os.open, path, os.O_RDONLY)
                got = b""
                while more := os.read(fd, 1 << 16):
                    got += more
                os.close(fd)
                if got != data:
                    fail(f"{len(got)} bytes of {len(data)} came from a handle")
                numbers["handles"] += 1

    def begin_chaos(self, u, rng):
        rd, wr = os.pipe()
        os.set_blocking(rd, False)
        child = Child("chaos", 0, self.chaos, u, rng.random(), rng.randrange(50, 400), wr) # (becomes the user itself)
        self.children.append(child)
        os.close(wr)
        self.chaoses[u] = child, rd

    def chaos(self, u, seed, steps, out):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        if self.scarce:
            operations.MAY_FAIL.update(CLOSED)
        os.write(out, json.dumps({f"{name} {result}": n for (name, result), n in
                                  operations.User(u, self.uid[u]).act(random.Random(seed), steps).items()}).encode())

    def see_to_chaos(self, rng, again=True):
        for u, (child, rd) in list(self.chaoses.items()):
            if not child.ended():
                continue
            try:
                done = json.loads(os.read(rd, 65536) or b"{}")
            except BlockingIOError:
                done = {}
            os.close(rd)
            del self.chaoses[u]
            self.counts["random operations"] += sum(done.values())
            self.counts["of them granted"] += sum(n for name, n in done.items() if name.endswith(" ok"))
            if again:
                self.begin_chaos(u, rng)

    # ---- the administrator

    def look(self):
        """What an administrator asks for, again and again; at is when it was answered last."""
        n = 0
        while not over["over"]:
            began = time.monotonic()
            try:
                self.look_at(n)
            except OSError as e:
                if e.errno not in SHORT:
                    raise
            self.looked["at"] = int(time.monotonic() * 1000)
            self.looked["count"] += 1
            self.looked["longest"] = max(self.looked["longest"], int((time.monotonic() - began) * 1000))
            n += 1
            time.sleep(0.02)

    def look_at(self, n):
        what = n % 6
        if what == 0:
            os.statvfs(self.mount)
            for u in USERS:
                os.listdir(f"{self.mount}/u{u}")
        elif what in (1, 2, 3):
            name = ("stats.json", "metrics", "topology.dot")[what - 1]
            with open(f"{self.mount}/.spfs/{name}") as f:
                text = f.read()
            if what == 1:
                json.loads(text)
        elif what == 4:
            control = Control(self.mount)
            control.ask({"op": "quota"})
            control.close()
        else:
            for u in USERS:
                for name in os.listdir(f"{self.mount}/u{u}"):
                    try:
                        os.getxattr(f"{self.mount}/u{u}/{name}", "spfs.stats")
                    except OSError as e:
                        if e.errno not in operations.MAY_FAIL:
                            raise
