"""occupier.py HOW COUNT CHANNELS...: attaches COUNT ports to CHANNELS in turn that never get through, and stays.

HOW: slaves   sinks on passed terminals that take no more than fits into them
     masters  ... and on the other ends of terminals
     paths    ... and on terminals by their paths
     writes   sinks on files of hanging-file, in the working folder
     reads    sources on such files
     sizes    sinks on files there that take what is written, and whose size nobody is told
"""
import os
import pty
import subprocess
import sys
import tty

how, count, channels = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
kept = []
for i in range(count):
    passed = None
    if how in ("slaves", "masters", "paths"):
        master, slave = pty.openpty()
        tty.setraw(slave)
        kept.append((master, slave))
        if how == "paths":
            uri = "file:" + os.ttyname(slave)
        else:
            passed = slave if how == "slaves" else master
    elif i % 2 and how == "writes":
        uri = f"file:{i}?append=1"
    elif how in ("writes", "sizes"):
        passed = os.open(str(i) if how == "writes" else f"s{i}", os.O_WRONLY)
    else:
        uri = f"file:{i}"
    target = ["--fd", str(passed)] if passed is not None else [uri]
    subprocess.run(["spfs", "source" if how == "reads" else "sink", channels[i % len(channels)]] + target, check=True,
                   pass_fds=[passed] if passed is not None else [], stdout=subprocess.DEVNULL)
    if how in ("writes", "sizes") and passed is not None:
        os.close(passed)
print("attached", flush=True)
sys.stdin.read()
