"""Two workers of one run, beside two runs with one worker each: what sharing costs, and brings.

Both sides have the same two cores for the same wall time, one side after the other. Started from
a corpus, executions are compared; from the seeds, edges: those of two workers, and all that one
run or the other has reached.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import engines, replay, store
from .build import say

# From a corpus, and from the seeds.
MODE, SEEDS_MODE = "pair", "pair-seeds"


def measure(place, target, identity, cores, start_corpus, out):
    """Stores what both sides did; which comes first changes with the repetition."""
    rep, wall_s = identity["rep"], identity["budget"]
    sides = {"one": lambda: run(place, target, [1], 2, wall_s, cores, start_corpus),
             "two": lambda: run(place, target, [1, 2], 1, wall_s, cores, start_corpus)}
    found = {name: sides[name]() for name in (("one", "two") if rep % 2 else ("two", "one"))}
    result = dict(identity, kind=target.kind)
    for side, name in (("one", "together"), ("two", "apart")):
        result[name], result[f"edges_{name}"] = found[side]
    store.add(out, result)
    said = "{together:,} and {apart:,} executions"
    if identity["mode"] == SEEDS_MODE:
        said = "{edges_together:,} and {edges_apart:,} edges"
    say(f"{target.name} #{rep}: two workers and two runs, {said.format(**result)}")


def run(place, target, seeds, workers, wall_s, cores, start_corpus):
    """Executions of some runs at the same time, and the edges that they reached between them, if
    they started from the seeds: a corpus that they were given does not become theirs.
    """
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
        runs = [one for _, one in started]
        executions = sum(engine.executions(one) for one in runs)
        return executions, None if start_corpus else edges(place, target, engine, runs)
    finally:
        for process, _ in started:
            if process.poll() is None:
                process.terminate()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def edges(place, target, engine, runs):
    """How many edges the corpora of the runs reach together, with the seeds."""
    folders = [folder for one in runs for folder in engine.corpus_folders(one)]
    found = [path for folder in folders for path in sorted(folder.glob("*")) if path.is_file()]
    for path in found:
        path.write_bytes(engine.raw(path.read_bytes()))
    finds = [*place.starts(target), *((0.0, path) for path in found)]
    points, _ = replay.curve(place.replayer(target), finds)
    return points[-1][1] if points else 0
