"""Runs of engines on targets, one after the other, each stored as soon as it is done."""
import os
import pathlib
import shutil
import tempfile
import time

from . import measure, pair, replay, store
from .build import NEEDS, BuildError, build, say

# Nothing new is learned about an empty target after this; and a single comparison is judged by it.
PLAIN_CPU_S, MAGIC_CPU_S = 10, 10


def budget(target, cpu):
    limits = {"plain": PLAIN_CPU_S, "magic": MAGIC_CPU_S}
    return min(cpu, limits.get(target.kind, cpu))


class Session:
    """What `run` and `mix` have in common."""

    def __init__(self, place, chosen, out, core):
        self.place, self.engines, self.out, self.core = place, chosen, out, core
        self.done = {store.key(result) for result in store.load([out])}

    def build(self, chosen, jobs, only_ours=False):
        """Leaves out, with a word, the engines that cannot be built."""
        names = sorted({target.executable for target in chosen})
        built = {name for name in NEEDS if only_ours and name != "fuzzd"}
        if not only_ours:
            build(self.place, "replay", names, jobs)
        kept = []
        for engine in self.engines:
            name = engine.build or engine.name
            try:
                if name not in built:
                    build(self.place, name, names, jobs)
                    built.add(name)
                kept.append(engine)
            except BuildError as error:
                say(f"{error}; going on without {engine.name}")
        self.engines = kept

    def all(self, chosen, reps, cpu, mix=None):
        """Repetitions outermost: every engine and target has some result early."""
        for rep in range(reps):
            for target in chosen:
                for engine in self.engines:
                    wanted = budget(target, cpu)
                    identity = {
                        "mode": "mix" if mix else "run", "engine": engine.name,
                        "target": target.name, "rep": rep, "budget": wanted,
                    }
                    if store.key(identity) in self.done:
                        continue
                    self._one(engine, target, rep, wanted, identity, mix)

    def pairs(self, chosen, reps, wall_s, mix):
        """Two workers beside two runs; from what was found before, or, without `mix`, the seeds."""
        cores = set(sorted(os.sched_getaffinity(0))[-2:])
        if len(cores) < 2:
            raise ValueError("this compares two workers with two runs: it takes two cores")
        for rep in range(reps):
            for target in chosen:
                identity = {"mode": pair.MODE if mix else pair.SEEDS_MODE, "engine": "fuzzd",
                            "target": target.name, "rep": rep, "budget": wall_s}
                if store.key(identity) not in self.done:
                    corpus = mix(target) if mix else None
                    pair.measure(self.place, target, identity, cores, corpus, self.out)

    def _one(self, engine, target, rep, wanted, identity, mix):
        try:
            self.place.executable("replay", target)
            self.place.executable(engine.build or engine.name, target)
            self.place.starts(target)
        except BuildError as error:
            say(f"{error}: left out")
            return
        runs = self.place.work / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{engine.name}-{target.name}-", dir=runs))
        start_corpus = mix(target) if mix else None
        if mix and not start_corpus:
            say(f"no corpus of {target.name} yet: run it without mix first")
            return
        run = self.place.new_run(target, 1 + rep, folder, start_corpus)
        until_crash = target.kind in ("bug", "magic")
        try:
            runner = measure.Runner(engine, run, wanted, self.core, until_crash)
            measured = runner.measure()
            result = dict(identity, kind=target.kind, **self._facts(engine, run, measured, mix))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        store.add(self.out, result)
        say(line(result))

    def _facts(self, engine, run, measured, mix):
        executions = engine.executions(run)
        facts = {
            "cpu": round(measured.cpu, 2), "wall": round(measured.wall, 1),
            "executions": executions, "memory_mib": round(measured.memory_mib, 1),
            "starts": measured.starts, "corpus": len(measured.finds), "when": int(time.time()),
        }
        if measured.cpu > 0:
            facts["rate"] = round(executions / measured.cpu, 1)
        if mix and measured.ready:
            before, cpu = measured.ready
            facts["rate"] = round((executions - before) / max(measured.cpu - cpu, 0.01), 1)
        if measured.note:
            facts["note"] = measured.note
        if measured.worker_mib is not None:
            facts["worker_mib"] = round(measured.worker_mib, 1)
        replayer = self.place.replayer(run.target)
        if measured.crash is not None:
            facts["crash"] = round(measured.crash, 3)
            crash_file = self._where(engine, run, measured.crash_file)
            self._raw(engine, crash_file)
            facts["crash_at"] = replay.place_of(replayer, crash_file)
            facts["crash_file"] = self._keep_crash(engine, run, crash_file)
        if not mix and run.target.kind in ("parser", "plain"):
            for _, path in measured.finds:
                self._raw(engine, path)
            finds = [*self.place.starts(run.target), *measured.finds]
            facts["curve"], files = replay.curve(replayer, finds)
            facts["edges"] = facts["curve"][-1][1] if facts["curve"] else 0
            facts["total"] = replayer.total
            self._keep(engine, run, files)
        return facts

    def _where(self, engine, run, path):
        """Where a crash lies now: a further start of an engine may have set it aside."""
        if path.exists():
            return path
        return next(file for file in engine.crash_files(run) if file.name == path.name)

    def _raw(self, engine, path):
        """The file as the bytes of the input; a new file, the old one may be linked elsewhere."""
        content = path.read_bytes()
        raw = engine.raw(content)
        if raw != content:
            path.unlink()
            path.write_bytes(raw)

    def _keep_crash(self, engine, run, path):
        """So that somebody can look at it; the name as the engine gave it."""
        folder = self.out / "crashes"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{run.target.name}-{engine.name}-{path.name}"
        shutil.copy(path, folder / name)
        return name

    def _keep(self, engine, run, files):
        """The inputs that were first to reach an edge, for `mix`."""
        folder = self.out / "corpora" / run.target.name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{engine.name}-*"):
            old.unlink()
        for number, path in enumerate(files):
            shutil.copy(path, folder / f"{engine.name}-{number:05}")


def line(result):
    parts = [f"{result['engine']} {result['target']} #{result['rep']}: {result['cpu']} CPU s"]
    if "rate" in result:
        parts.append(f"{result['rate']:,.0f}/s")
    if result.get("edges"):
        parts.append(f"{result['edges']} edges")
    if "crash" in result:
        parts.append(f"crash after {result['crash']} s at {result['crash_at']}")
    elif result["kind"] in ("bug", "magic"):
        parts.append("no crash")
    if "note" in result:
        parts.append(f"({result['note']})")
    return ", ".join(parts)


def mix_corpus(folders, scratch, names="*"):
    """A function that gathers what engines of the folders found for a target: all, or one."""
    def gather(target):
        found = [p for f in folders for p in sorted((f / "corpora" / target.name).glob(names))]
        directory = scratch / target.name
        if found and not directory.exists():
            directory.mkdir(parents=True)
            for content in {path.read_bytes() for path in found}:
                (directory / measure.digest(content)).write_bytes(content)
        return directory if found else None

    return gather
