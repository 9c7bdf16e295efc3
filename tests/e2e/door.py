"""door.py FOLDER INO: what the door of FOLDER, /sub of its mount, lets nobody do. FOLDER has deep/ch; beside it there is /outside."""
import array, errno, json, os, socket, sys

folder = sys.argv[1]


class Door:
    def __init__(self, path=folder):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(20)
        self.s.connect(os.path.join(path, ".spfs"))

    def ask(self, fd=None, **request):
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))] if fd is not None else []
        self.s.sendmsg([json.dumps(request).encode()], passed)
        return json.loads(self.s.recv(1 << 20))

    def refused(self, name, fd=None, **request):
        answer = self.ask(fd, **request)
        assert answer.get("errno") == name, (request, answer)

    def enter(self, fd, path):
        answer = self.ask(fd, op="enter", folder=path)
        assert "error" not in answer, answer
        return self


def opened(path):
    return os.open(path, os.O_PATH)


here, deep, other, channel = opened(folder), opened(os.path.join(folder, "deep")), opened("/"), opened(os.path.join(folder, "deep/ch"))
assert os.fstat(here).st_ino == int(sys.argv[2])

# Nothing without a folder; and no folder but one that is shown.
door = Door()
door.refused("EPERM", op="get", channel="/deep/ch")
door.refused("EPERM", op="get", channel="/outside")
door.refused("EXDEV", op="quota")
door.refused("EXDEV", op="reload")
for fd, path in ((None, "/sub"), (here, "/"), (other, "/"), (other, "/sub"), (deep, "/sub"), (here, "/sub/deep"), (here, "/.spfs"),
                 (here, "/nowhere"), (here, ""), (channel, "/outside"), (channel, "/sub/deep/ch"), (here, "/sub/../sub")):
    door.refused("EPERM", fd, op="enter", folder=path)
door.refused("EINVAL", here, op="enter")
door.refused("EINVAL", here, op="get", channel="/deep/ch")
door.refused("EPERM", op="get", channel="/deep/ch")

# What is below it, and nothing else, by whatever path.
door.enter(here, "/sub")
assert "settings" in door.ask(op="get", channel="/deep/ch")
assert "settings" in door.ask(op="get", channel="deep/../deep/./ch")
door.refused("EINVAL", deep, op="enter", folder="/sub/deep")
for path in ("/outside", "outside", "/sub/deep/ch", "/sub"):
    door.refused("ENOENT", op="get", channel=path)
for path in ("../outside", "/../outside", "deep/../../outside", "deep/../../sub/deep/ch", "../sub/deep/ch", "/../../outside"):
    door.refused("EXDEV", op="get", channel=path)
    door.refused("EXDEV", op="ports", channel=path)
    door.refused("EXDEV", op="detach", channel=path, id=1)
    door.refused("EXDEV", op="watch", channel=path)
    door.refused("EXDEV", other, op="attach", channel=path, dir="source")
for path in ("/", "", "///"):
    door.refused("EXDEV", op="get", channel=path)
    door.refused("EXDEV", op="set", channel=path, settings={"quota": "1M"})
door.refused("EXDEV", op="quota")
door.refused("EXDEV", op="reload")

# A folder deeper down is all that is seen then; once it has gone, so is what was seen.
lower = os.path.join(folder, "lower")
os.mkdir(lower)
os.mkfifo(os.path.join(lower, "x"))
door = Door(lower).enter(opened(lower), "/sub/lower")
assert "settings" in door.ask(op="get", channel="/x")
door.refused("EXDEV", op="get", channel="/../deep/ch")
os.rename(lower, os.path.join(folder, "moved"))
assert "settings" in door.ask(op="get", channel="/x")
os.unlink(os.path.join(folder, "moved/x"))
os.rmdir(os.path.join(folder, "moved"))
door.refused("ENOENT", op="get", channel="/x")
