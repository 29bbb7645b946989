"""Coverage of corpus files, read off by a worker process of the test binary.

A worker runs one value of our choice for each `Fuzz` call with `Warmup`, and answers with all of its
coverage (`proto-spec/protocol.md`). The edges are the counters that are not zero.
"""
import base64
import fcntl
import json
import mmap
import os
import select
import struct
import subprocess
import tempfile
import time

from runner.replay import ReplayError

HEADER_BYTES = 40
CAPACITY = 16 << 20
# One input may take as long as any engine lets it, and somewhat more.
ANSWER_S = 90
# Inputs on which the worker itself may die before it is given up.
DEATHS_MAX = 50
# Where the worker finds its pipes and its memory.
FDS = (3, 4, 5)


class Worker:
    """One process, and what it shares with us."""

    def __init__(self, executable, test, folder):
        self.memory = tempfile.TemporaryFile()
        self.memory.truncate(HEADER_BYTES + CAPACITY)
        self.map = mmap.mmap(self.memory.fileno(), HEADER_BYTES + CAPACITY)
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # High numbers first: otherwise one of them might be 3, 4 or 5 itself.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 64)
                  for fd in (theirs_in, theirs_out, self.memory.fileno())]

        def place_fds():
            for fd, number in zip(theirs, FDS):
                os.dup2(fd, number)

        command = [executable, "-test.fuzzworker", "-test.paniconexit0", "-test.run=^$",
                   f"-test.fuzz=^{test}$", f"-test.fuzzcachedir={tempfile.gettempdir()}"]
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=place_fds,
        )
        for fd in (*theirs, theirs_in, theirs_out):
            os.close(fd)
        self.ours_in, self.ours_out, self.buffer = ours_in, ours_out, b""

    def call(self, message):
        """The answer; None if there is none."""
        try:
            os.write(self.ours_out, json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            return None
        deadline = time.time() + ANSWER_S
        while b"\n" not in self.buffer:
            left = deadline - time.time()
            if left <= 0 or not select.select([self.ours_in], [], [], left)[0]:
                return None
            piece = os.read(self.ours_in, 1 << 16)
            if not piece:
                return None
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def put(self, text):
        """Makes it the value of the next call; False if it is too long."""
        if len(text) > CAPACITY:
            return False
        self.map[:HEADER_BYTES] = struct.pack("<qq", 0, len(text)).ljust(HEADER_BYTES, b"\0")
        self.map[HEADER_BYTES:HEADER_BYTES + len(text)] = text
        return True

    def run(self, text):
        """What one corpus file covers, as the worker says it: a message if it fails, and its
        counters; None if the worker is lost.
        """
        if not self.put(text):
            return "too long", b""
        answer = self.call({"Fuzz": {"Warmup": True, "Limit": 1}})
        if answer is None:
            return None
        message = answer.get("Err") or answer.get("InternalErr") or ""
        return message, base64.b64decode(answer.get("CoverageData") or "")

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.ours_in)
        os.close(self.ours_out)
        self.map.close()
        self.memory.close()


def short(message):
    """What was said of a failure, without the line that names the fuzz test; None for nothing."""
    lines = [line.strip() for line in message.splitlines()]
    said = [line for line in lines if line and not line.startswith("--- FAIL")]
    return said[0] if said else message or None


class Replayer:
    """Counts edges for both engines, by the binary that both ran."""

    def __init__(self, executable, test, folder):
        self.executable, self.test, self.folder = executable, test, folder
        self.total = 0

    def each(self, paths):
        """For each path its failure (None, or a message) and the edges it was first to reach."""
        known, deaths, worker = set(), 0, None
        try:
            for path in paths:
                if worker is None:
                    if deaths >= DEATHS_MAX:
                        return
                    worker = Worker(self.executable, self.test, self.folder)
                    if worker.call({"Ping": {}}) is None:
                        raise ReplayError(f"{self.executable} does not answer")
                ran = worker.run(path.read_bytes())
                if ran is None:
                    worker.end()
                    worker, deaths = None, deaths + 1
                    yield "died", []
                    continue
                message, counters = ran
                self.total = max(self.total, len(counters))
                fresh = [edge for edge, hits in enumerate(counters) if hits and edge not in known]
                known.update(fresh)
                yield short(message), fresh
        finally:
            if worker is not None:
                worker.end()
