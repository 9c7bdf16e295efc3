"""As a user in COUNT groups, 100000 and on: many_groups.py COUNT COMMAND..., or COUNT hammer|connect N.

N processes then set an attribute, make a tap and have the statistics told, or connect to the control socket, to ask something or
nothing, again and again, until the standard input ends.
"""
import os
import select
import signal
import sys

from control import Control

count, command = int(sys.argv[1]), sys.argv[2:]
os.setgroups(range(100000, 100000 + count))
os.setresgid(12345, 12345, 12345)
os.setresuid(12345, 12345, 12345)
if command[0] not in ("hammer", "connect"):
    os.execvp(command[0], command)


def hammer(i):
    name = "hammered%d" % i
    os.mkfifo(name, 0o600)
    while True:
        os.setxattr(name, "spfs.replay", b"64K")
        os.link(name, name + ".tap")
        os.stat(".spfs/stats.json")
        os.unlink(name + ".tap")


def connect(_):
    while True:
        asking, leaving = Control("."), Control(".")
        leaving.close()
        assert asking.ask({"op": "quota"})["quotas"]
        asking.close()


children = []
for i in range(int(command[1])):
    pid = os.fork()
    if pid == 0:
        try:
            (hammer if command[0] == "hammer" else connect)(i)
        finally:
            os._exit(1)
    children.append(pid)
print("asking", flush=True)
select.select([0], [], [])
failed = [pid for pid in children if os.waitpid(pid, os.WNOHANG) != (0, 0)]
for pid in children:
    if pid not in failed:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
sys.exit(bool(failed))
