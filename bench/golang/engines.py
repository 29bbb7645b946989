"""Go's own coordinator, and fuzzd, on the same test binary."""
import os
import pathlib
import re
import shutil

from runner import engines, tree

# Longer than any run.
FOREVER = "1000h"


class Run(engines.Run):
    """One engine on one fuzz test, in a copy of the folder of its package."""

    def __init__(self, place, target, seed_number, folder, start_corpus=None):
        super().__init__(place, target, seed_number, folder, start_corpus)
        self.directory = place.copy(target, folder)
        self.crashers = self.directory / "testdata/fuzz" / target.test
        self.seeds = set(_names(self.crashers))

    def new_crashers(self):
        return [path for path in _names(self.crashers) if path not in self.seeds]


class Worker:
    """Both engines start the binary with this flag."""

    FLAG = b"-test.fuzzworker"

    def worker_mib(self, pid):
        """The largest resident worker among the descendants of a process."""
        kib = [0]
        for process in tree.members(pid):
            try:
                words = pathlib.Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
                status = pathlib.Path(f"/proc/{process}/status").read_text()
            except OSError:
                continue
            resident = re.search(r"^VmRSS:\s+(\d+)", status, re.M)
            if self.FLAG in words and resident:
                kib.append(int(resident[1]))
        return max(kib) / 1024


class Go(Worker, engines.Engine):
    """The test binary as its own coordinator, as `go test -fuzz -parallel=1` starts it. The first
    crash ends it; it is set aside, since it would otherwise be a seed that fails.
    """

    name = "go"

    def command(self, run):
        cache = run.folder / "cache"
        corpus = cache / run.target.test
        corpus.mkdir(parents=True, exist_ok=True)
        if run.start_corpus and not any(corpus.iterdir()):
            shutil.copytree(run.start_corpus, corpus, dirs_exist_ok=True)
        aside = run.folder / "crashes"
        aside.mkdir(exist_ok=True)
        for path in run.new_crashers():
            shutil.move(path, aside / path.name)
        return [
            run.place.executable("go", run.target), "-test.paniconexit0", "-test.run=^$",
            f"-test.fuzz=^{run.target.test}$", f"-test.fuzzcachedir={cache}", "-test.parallel=1",
            f"-test.fuzztime={FOREVER}",
        ]

    def corpus_folders(self, run):
        return [run.folder / "cache" / run.target.test]

    def crash_files(self, run):
        return [*_names(run.folder / "crashes"), *run.new_crashers()]

    def executions(self, run):
        # Each start counts from zero, and says first that it gathers coverage.
        starts = run.text().split("elapsed: 0s, gathering baseline coverage: 0/")
        counts = [re.findall(r"execs: (\d+)", start) for start in starts]
        return sum(int(count[-1]) for count in counts if count)

    def first_execution(self, run):
        found = re.search(r"baseline coverage: (\d+)/\1 completed, now fuzzing", run.text())
        return int(found[1]) if found else None


class Fuzzd(Worker, engines.Fuzzd):
    """The product, on the unmodified binary."""

    def command(self, run):
        request = f"{run.place.executable('fuzzd', run.target)}:{run.target.test}"
        seeds = ["--seeds", run.start_corpus] if run.start_corpus else []
        words = [run.place.fuzzd, "run", request, "-j1", "--json", "--seed", str(run.seed)]
        return [*words, "--state", run.folder / "state", *seeds]

    def executions(self, run):
        # All of them, as Go counts: also those that minimize and confirm.
        return max((_all(event) for event in self._events(run)), default=0)

    def first_execution(self, run):
        inputs = None
        for event in self._events(run):
            if event["event"] == "warmup_started":
                inputs = event["inputs"]
            elif event["event"] == "warmup_finished":
                return inputs
        return None

    def raw(self, content):
        # The replayer reads the text form.
        return content


def _all(event):
    return (event.get("execs") or 0) + (event.get("execs_other") or 0)


def _names(folder):
    try:
        return [pathlib.Path(entry.path) for entry in os.scandir(folder) if entry.is_file()]
    except OSError:
        return []


ALL = {engine.name: engine for engine in (Fuzzd(), Go())}
