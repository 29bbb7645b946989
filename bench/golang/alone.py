"""How many executions the worker makes when nobody asks for anything but executions.

What the binary itself takes: its worker is given one call after the other, each on the next file
of the corpus, and no call ends before its time, as it is told that every counter is known. Nothing
is read, kept, chosen or made smaller. An engine is above this rate where it picks inputs that run
faster than these do on average, and only there.
"""
import base64
import os
import time

from runner import store, tree
from runner.build import say

from .worker import Worker

MODE = "alone"
ENGINE = "worker"
# A call lasts as long as those of Go's coordinator.
CALL_S = 0.1
# Wall time after which it is over, if the worker mostly waits.
WALL_FACTOR = 3


def measure(place, target, reps, cpu_s, core, corpus, out):
    """Stores executions per second of processor time of the worker process, for each repetition."""
    done = {store.key(result) for result in store.load([out])}
    files = [path.read_bytes() for path in sorted(corpus.iterdir())]
    for rep in range(reps):
        identity = {"mode": MODE, "engine": ENGINE, "target": target.name, "rep": rep,
                    "budget": cpu_s}
        if store.key(identity) in done:
            continue
        executions, cpu = run(place, target, files, cpu_s, core)
        if not executions:
            say(f"{target.name}: the worker alone makes no executions")
            continue
        rate = round(executions / cpu, 1)
        store.add(out, dict(identity, kind=target.kind, executions=executions,
                            cpu=round(cpu, 2), rate=rate))
        say(f"{target.name} #{rep}: the worker alone, {rate:,.0f}/s")


def run(place, target, files, cpu_s, core):
    """Executions, and the processor time that they took."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    worker, executions, cpu = None, 0, 0.0
    deadline = time.time() + WALL_FACTOR * cpu_s
    try:
        number = 0
        while cpu < cpu_s and time.time() < deadline:
            if worker is None:
                worker, mask, before = start(place, target, files)
            text, number = files[number % len(files)], number + 1
            count = call(worker, text, mask)
            if count is None:
                # The input killed it: what it did until then is not known.
                worker.end()
                worker = None
                continue
            mask = None
            used = tree.processor_s(worker.process.pid)
            executions, cpu, before = executions + count, cpu + used - before, used
    finally:
        os.sched_setaffinity(0, allowed)
        if worker is not None:
            worker.end()
    return executions, cpu


def start(place, target, files):
    """A worker, the counters that it is told are known, and the processor time it took so far."""
    worker = Worker(place.executable("alone", target), target.test, place.folder_of(target))
    worker.call({"Ping": {}})
    counters = next((c for _, c in filter(None, map(worker.run, files[:1])) if c), b"")
    mask = base64.b64encode(b"\xff" * len(counters)).decode()
    return worker, mask, tree.processor_s(worker.process.pid)


def call(worker, text, mask):
    """Executions of one call on this input; None if the worker is lost."""
    if not worker.put(text):
        return 0
    message = {"Timeout": int(CALL_S * 1e9)}
    if mask:
        message["CoverageData"] = mask
    answer = worker.call({"Fuzz": message})
    return None if answer is None else answer.get("Count", 0)
