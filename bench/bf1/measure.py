"""CPU seconds, memory and sizes, from /proc and getrusage; and the loop that times one query."""

import os
import resource
import time
from pathlib import Path

TRIALS = 3
# A trial lasts at least this long: CPU accounting of other processes has ticks of 10 ms.
TRIAL_S = 0.5
REPEATS_MAX = 200
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def tree_cpu_s(root):
    """CPU seconds of a process, of its children that ended, and of those that live."""
    total, todo = 0, [root]
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append((int(entry.name), fields))
            if int(entry.name) == root:
                total += sum(int(f) for f in fields[11:15])
    while todo:
        for pid, fields in children.get(todo.pop(), []):
            total += sum(int(f) for f in fields[11:15])
            todo.append(pid)
    return total / TICKS_PER_S


class Meter:
    """Reads the CPU clock of this process, its ended children, and the servers it is told of."""

    def __init__(self):
        self.servers = []

    def cpu_s(self):
        own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(u.ru_utime + u.ru_stime for u in own) + sum(tree_cpu_s(p) for p in self.servers)

    def once(self, work):
        """Runs `work` one time: (what it gave, CPU seconds, wall seconds)."""
        cpu, wall = self.cpu_s(), time.perf_counter()
        out = work()
        return out, self.cpu_s() - cpu, time.perf_counter() - wall

    def best(self, work):
        """Best of three warm trials, each of as many repetitions as fill it."""
        _, _, first = self.once(work)
        out, _, wall = self.once(work)
        repeats = max(1, min(REPEATS_MAX, int(TRIAL_S / max(wall, 1e-6)) + 1))

        def trial():
            for _ in range(repeats):
                work()

        trials = [self.once(trial) for _ in range(TRIALS)]
        return {
            "cpu_s": min(t[1] for t in trials) / repeats,
            "wall_s": min(t[2] for t in trials) / repeats,
            "repeats": repeats,
            "first_wall_s": first,
        }, out


def peak_rss_bytes():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def folder_bytes(path):
    return sum(f.stat().st_size for f in Path(path).rglob("*") if f.is_file())
