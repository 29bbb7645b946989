"""Processor time and memory of a process and all that it started, out of /proc."""
import os
import pathlib
import re

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROC = pathlib.Path("/proc")


def members(pid):
    """The process and its living descendants."""
    found, waiting = [], [pid]
    while waiting:
        process = waiting.pop()
        found.append(process)
        try:
            for task in os.listdir(f"/proc/{process}/task"):
                text = (PROC / f"{process}/task/{task}/children").read_text()
                waiting.extend(int(child) for child in text.split())
        except OSError:
            # It ended meanwhile; its time is in its parent's now.
            continue
    return found


def processor_s(pid):
    """Seconds used by the living, and by those that they have waited for."""
    ticks = 0
    for process in members(pid):
        try:
            text = (PROC / f"{process}/stat").read_text()
        except OSError:
            continue
        ticks += sum(int(field) for field in text.rsplit(")", 1)[1].split()[11:15])
    return ticks / TICKS_PER_S


def memory_mib(pid):
    """Memory in use, what is shared between them counted once."""
    kib = 0
    for process in members(pid):
        try:
            text = (PROC / f"{process}/smaps_rollup").read_text()
        except OSError:
            continue
        kib += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) if "Pss:" in text else 0
    return kib / 1024
