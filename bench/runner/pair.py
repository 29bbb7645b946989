"""Two workers of one run, beside two runs with one worker each: what sharing costs.

Both sides have the same two cores for the same wall time, one side after the other.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import engines, store
from .build import say

MODE = "pair"


def measure(place, target, rep, wall_s, cores, start_corpus, out):
    """Stores executions of both sides; which comes first changes with the repetition."""
    sides = {"one": lambda: run(place, target, [1], 2, wall_s, cores, start_corpus),
             "two": lambda: run(place, target, [1, 2], 1, wall_s, cores, start_corpus)}
    found = {name: sides[name]() for name in (("one", "two") if rep % 2 else ("two", "one"))}
    result = {"mode": MODE, "engine": "fuzzd", "target": target.name, "rep": rep,
              "budget": wall_s, "kind": target.kind, "together": found["one"],
              "apart": found["two"]}
    store.add(out, result)
    say(f"{target.name} #{rep}: two workers {found['one']:,}, two runs {found['two']:,} "
        f"executions, {found['one'] / max(found['two'], 1):.3f}")
    return result


def run(place, target, seeds, workers, wall_s, cores, start_corpus):
    """Executions of some runs at the same time."""
    runs_folder = place.work / "runs"
    runs_folder.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"pair-{target.name}-", dir=runs_folder))
    engine, started = engines.ALL["fuzzd"], []
    try:
        for seed in seeds:
            one = engines.Run(place, target, seed, folder / str(seed), start_corpus)
            one.folder.mkdir()
            command = [str(word) for word in engine.command(one)]
            command[command.index("-j1")] = f"-j{workers}"
            command += ["--time", f"{wall_s:g}s"]
            with open(one.log, "w") as log:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    cwd=one.folder, preexec_fn=lambda: os.sched_setaffinity(0, cores))
            started.append((process, one))
        for process, _ in started:
            process.wait()
        return sum(engine.executions(one) for _, one in started)
    finally:
        for process, _ in started:
            if process.poll() is None:
                process.terminate()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)
