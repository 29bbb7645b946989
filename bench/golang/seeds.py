#!/usr/bin/env python3
"""The seeds of a fuzz test, which only the test binary itself knows.

Started as a coordinator, the binary starts its own `argv[0]` as worker and hands it every seed. Here
that is this file: it writes them down, and ends the run before anything is fuzzed.
"""
import json
import mmap
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

FOLDER_ENV = "BENCH_GO_SEEDS"
HEADER_BYTES = 40
HARVEST_S = 120
# The file of the first call that is to fuzz: all seeds came before it.
LAST = "last"


def harvest(executable, test, folder, package):
    """Writes the seeds into `folder`, one file each; raises BuildError if not all are told."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        found, cache = pathlib.Path(scratch, "seeds"), pathlib.Path(scratch, "cache")
        found.mkdir()
        command = [os.path.abspath(__file__), f"-test.fuzzcachedir={cache}", "-test.run=^$",
                   f"-test.fuzz=^{test}$", "-test.parallel=1"]
        try:
            subprocess.run(command, executable=executable, cwd=package, timeout=HARVEST_S,
                           env=dict(os.environ, **{FOLDER_ENV: str(found)}),
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            pass
        try:
            (found / LAST).unlink()
        except FileNotFoundError:
            from runner.build import BuildError

            raise BuildError(f"{test} does not tell its seeds") from None
        found.rename(folder)


def serve():
    """Answers the coordinator that started this process."""
    folder = pathlib.Path(os.environ[FOLDER_ENV])
    memory = mmap.mmap(5, os.fstat(5).st_size)
    with os.fdopen(3) as calls, os.fdopen(4, "w") as answers:
        for line in calls:
            fuzz = json.loads(line).get("Fuzz")
            answer = {}
            if fuzz is not None:
                size = struct.unpack_from("<q", memory, 8)[0]
                name = f"{len(list(folder.iterdir())):05}" if fuzz["Warmup"] else LAST
                (folder / name).write_bytes(memory[HEADER_BYTES:HEADER_BYTES + size])
                struct.pack_into("<q", memory, 0, 1)
                ended = "" if fuzz["Warmup"] else "all seeds are written down"
                answer = {"TotalDuration": 1, "InterestingDuration": 1, "Count": 1,
                          "CoverageData": None, "Err": "", "InternalErr": ended}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


if __name__ == "__main__" and "-test.fuzzworker" in sys.argv:
    serve()
