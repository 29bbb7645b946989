"""How each engine is started, and where it leaves what it finds.

Every engine gets the same seed, the same limit of input length, one process at work (or what it
needs beside it) and its own defaults otherwise.
"""
import json
import os
import pathlib
import re
import shutil

from . import godata

TIMEOUT_S = 10


class Run:
    """One engine on one target in a folder of its own."""

    def __init__(self, place, target, seed_number, folder, start_corpus=None):
        self.place, self.target, self.seed, self.folder = place, target, seed_number, folder
        # A directory of inputs to start from in the place of the seed.
        self.start_corpus = start_corpus
        self.log = folder / "log"
        # Where the engine runs.
        self.directory = folder

    def inputs(self):
        """The directory that holds what to start from."""
        from . import targets

        if self.start_corpus:
            return self.start_corpus
        return targets.write_seed(self.target, self.folder / "seeds")

    def corpus(self):
        """A corpus directory that holds what to start from."""
        directory = self.folder / "corpus"
        if not directory.exists():
            shutil.copytree(self.inputs(), directory)
        return directory

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Engine:
    """What differs between engines; the defaults hold for those that use libFuzzer's flags."""

    name = ""
    flags = ()
    build = ""
    # Whether a run ends with its first crash, and so has to be started again.
    ends_at_crash = True

    def executable(self, run):
        return run.place.rival(self.build or self.name, run.target.executable)

    def command(self, run):
        corpus = run.corpus()
        (run.folder / "crashes").mkdir(exist_ok=True)
        return [
            self.executable(run), f"-seed={run.seed}", f"-max_len={run.target.max_len}",
            f"-timeout={TIMEOUT_S}", "-print_final_stats=1",
            f"-artifact_prefix={run.folder}/crashes/", *self.flags, corpus,
        ]

    def environment(self, run):
        return {}

    def corpus_folders(self, run):
        return [run.folder / "corpus"]

    def crash_files(self, run):
        return [p for p in _files(run.folder / "crashes") if not p.name.startswith("slow-unit")]

    def raw(self, content):
        """The bytes of the input that a file stands for."""
        return content

    def executions(self, run):
        """How many, by its own count; the log may hold several starts."""
        ends = re.findall(r"stat::number_of_executed_units: (\d+)", run.text())
        return sum(int(end) for end in ends)

    def worker_mib(self, pid):
        """Memory of the process that runs the target, where it is one apart; else None."""
        return None

    def first_execution(self, run):
        """How many executions went into reading the corpus, once that is over."""
        found = re.search(r"^#(\d+)\s+INITED", run.text(), re.M)
        return int(found[1]) if found else None


class LibFuzzer(Engine):
    name = "libfuzzer"


class LibFuzzerProfile(Engine):
    """With the flag that makes it look at operands of comparisons; not its default."""

    name = "libfuzzer_vp"
    build = "libfuzzer"
    flags = ("-use_value_profile=1",)


class LibAfl(Engine):
    name = "libafl"

    def command(self, run):
        return [word for word in super().command(run) if not str(word).startswith("-seed=")]

    def crash_files(self, run):
        return [p for p in _files(run.folder / "crashes") if not p.name.startswith(".")]

    def executions(self, run):
        counts = re.findall(r"executions: ([\d,]+)", run.text())
        return max((int(count.replace(",", "")) for count in counts), default=0)

    def first_execution(self, run):
        return None


class Afl(Engine):
    name = "afl"
    ends_at_crash = False

    def command(self, run):
        limits = ["-t", str(TIMEOUT_S * 1000), "-G", str(run.target.max_len), "-s", str(run.seed)]
        folders = ["-i", run.inputs(), "-o", run.folder / "afl"]
        return ["cargo", "afl", "fuzz", *folders, *limits, "--", self.executable(run)]

    def environment(self, run):
        settings = ("NO_UI", "SKIP_CPUFREQ", "I_DONT_CARE_ABOUT_MISSING_CRASHES", "NO_AFFINITY")
        return run.place.tools() | {f"AFL_{setting}": "1" for setting in settings}

    def corpus_folders(self, run):
        return [run.folder / "afl/default/queue"]

    def crash_files(self, run):
        found = _files(run.folder / "afl/default/crashes")
        return [path for path in found if path.name.startswith("id:")]

    def executions(self, run):
        stats = run.folder / "afl/default/fuzzer_stats"
        text = stats.read_text() if stats.exists() else ""
        found = re.search(r"execs_done\s*: (\d+)", text)
        return int(found[1]) if found else 0

    def first_execution(self, run):
        return None


class Honggfuzz(Engine):
    name = "honggfuzz"
    ends_at_crash = False

    def command(self, run):
        (run.folder / "crashes").mkdir(exist_ok=True)
        (run.folder / "corpus").mkdir(exist_ok=True)
        limits = ["-t", str(TIMEOUT_S), "-F", str(run.target.max_len)]
        folders = ["-i", run.inputs(), "-o", run.folder / "corpus", "-W", run.folder / "crashes"]
        program = run.place.honggfuzz()
        return [program, "-P", "-n", "1", "-v", *limits, *folders, "--", self.executable(run)]

    def crash_files(self, run):
        found = _files(run.folder / "crashes")
        return [path for path in found if path.suffix == ".fuzz"]

    def executions(self, run):
        counts = re.findall(r"[Ii]terations\s*:\s*(\d+)", run.text())
        return int(counts[-1]) if counts else 0

    def first_execution(self, run):
        return None


class Fuzzd(Engine):
    """The product as it is: coordinator and one worker, both paid for out of the budget."""

    name = "fuzzd"
    ends_at_crash = False

    def executable(self, run):
        return run.place.fuzz_test(run.target.executable)

    def command(self, run):
        request = f"{self.executable(run)}:{run.target.test}"
        seeds = ["--seeds", run.inputs(), "--state", run.folder / "state"]
        limits = ["--max-len", str(run.target.max_len), "--timeout", f"{TIMEOUT_S}s"]
        program = run.place.fuzzd
        return [program, "run", request, "-j1", "--json", "--seed", str(run.seed), *seeds, *limits]

    def corpus_folders(self, run):
        return [run.folder / "state/corpus" / run.target.test]

    def crash_files(self, run):
        folder = run.folder / "state/crashes" / run.target.test
        return [path for path in folder.rglob("*") if path.is_file()]

    def raw(self, content):
        return godata.decode(content)

    def _events(self, run):
        for line in run.text().splitlines():
            if line.startswith("{"):
                try:
                    yield json.loads(line)
                except ValueError:
                    continue

    def executions(self, run):
        return max((event.get("execs") or 0 for event in self._events(run)), default=0)

    def first_execution(self, run):
        is_ready = any(event["event"] == "warmup_finished" for event in self._events(run))
        return 0 if is_ready else None


def _files(folder):
    try:
        with os.scandir(folder) as entries:
            return [pathlib.Path(entry.path) for entry in entries if entry.is_file()]
    except OSError:
        return []


ALL = {e.name: e for e in (
    Fuzzd(), LibFuzzer(), LibFuzzerProfile(), LibAfl(), Afl(), Honggfuzz(),
)}
DEFAULT = ("fuzzd", "libfuzzer", "afl", "libafl", "honggfuzz")
