"""One run to a budget of processor seconds on one core, and when each find was made."""
import bisect
import dataclasses
import hashlib
import os
import pathlib
import signal
import subprocess
import time

from . import tree

# Pauses between two looks at a run: short at first, when most is found.
LOOK_MIN_S, LOOK_MAX_S = 0.02, 0.25
# A run on a machine that is busy with other things gets no more wall time than this.
WALL_FACTOR, WALL_EXTRA_S = 12, 60
# From the request to end until the kill.
GRACE_S = 15
# A target that dies again and again at once.
STARTS_MAX = 2000


@dataclasses.dataclass
class Measured:
    cpu: float = 0.0
    wall: float = 0.0
    memory_mib: float = 0.0
    worker_mib: float | None = None
    starts: int = 0
    # (seconds of processor time, file with the input, as linked), in order of time
    finds: list = dataclasses.field(default_factory=list)
    crash: float | None = None
    crash_file: pathlib.Path | None = None
    # Executions and processor time when the corpus had been read.
    ready: tuple | None = None
    note: str = ""


class Clock:
    """Processor time as a function of wall time, from the looks that were taken."""

    def __init__(self):
        self.walls, self.cpus = [], []

    def add(self, wall, cpu):
        self.walls.append(wall)
        self.cpus.append(max(cpu, self.cpus[-1] if self.cpus else 0.0))

    def at(self, wall):
        position = bisect.bisect(self.walls, wall)
        if position == 0:
            return self.cpus[0]
        if position == len(self.walls):
            return self.cpus[-1]
        left, right = self.walls[position - 1], self.walls[position]
        share = (wall - left) / (right - left) if right > left else 1.0
        low, high = self.cpus[position - 1], self.cpus[position]
        return low + share * (high - low)


class Snapshots:
    """Keeps each file of a corpus as it was first seen: engines replace and delete theirs."""

    def __init__(self, folders, keep):
        self.folders, self.keep, self.seen, self.files = folders, keep, set(), []
        keep.mkdir(parents=True)

    def take(self):
        for folder in self.folders:
            try:
                entries = list(os.scandir(folder))
            except OSError:
                continue
            for entry in entries:
                # A kept link holds the inode, so its number is not used again.
                if entry.inode() in self.seen or not entry.is_file():
                    continue
                kept = self.keep / f"{len(self.files):06}"
                try:
                    os.link(entry.path, kept)
                except FileNotFoundError:
                    continue
                self.seen.add(entry.inode())
                self.files.append((kept.stat().st_mtime, kept))


class Runner:
    """Carries out one run."""

    def __init__(self, engine, run, budget_s, core, until_crash):
        self.engine, self.run, self.budget_s, self.core = engine, run, budget_s, core
        self.until_crash = until_crash
        self.result, self.clock = Measured(), Clock()
        self.spent = 0.0
        self.start = time.time()
        self.snapshots = Snapshots(engine.corpus_folders(run), run.folder / "snapshots")

    def measure(self):
        self.clock.add(self.start, 0.0)
        wall_max = self.budget_s * WALL_FACTOR + WALL_EXTRA_S
        while True:
            self._once(wall_max)
            result = self.result
            result.starts += 1
            if result.crash is not None and self.until_crash:
                break
            if self.spent >= self.budget_s or time.time() - self.start > wall_max:
                break
            if not self.engine.ends_at_crash or result.starts >= STARTS_MAX:
                result.note = result.note or f"ended early: {last_words(self.run)}"
                break
            if not self.engine.crash_files(self.run) and result.starts > 3:
                result.note = f"does not run: {last_words(self.run)}"
                break
            self.run.seed += 1000
        self.snapshots.take()
        self.result.finds = sorted((self.clock.at(t), kept) for t, kept in self.snapshots.files)
        self.result.cpu, self.result.wall = self.spent, time.time() - self.start
        return self.result

    def _once(self, wall_max):
        """One start of the engine, up to its end, the crash that is waited for or the budget."""
        command = [str(word) for word in self.engine.command(self.run)]
        environment = dict(os.environ, RUST_BACKTRACE="0", BENCH_MAGIC=self.run.target.test)
        environment.update(self.engine.environment(self.run))
        with open(self.run.log, "a") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=self.run.directory, env=environment, start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {self.core}),
            )
        pause, looks, cpu = LOOK_MIN_S, 0, self.spent
        try:
            while not has_ended(process):
                time.sleep(pause)
                pause = min(LOOK_MAX_S / (4 if self.until_crash else 1), pause * 1.2)
                cpu = self.spent + tree.processor_s(process.pid)
                self.clock.add(time.time(), cpu)
                self._look(process.pid, cpu, looks)
                looks += 1
                is_late = time.time() - self.start > wall_max
                if self.until_crash and self.result.crash is not None:
                    break
                if cpu >= self.budget_s or is_late:
                    break
        finally:
            self.spent = max(cpu, self.spent + end(process))
        self.clock.add(time.time(), self.spent)
        self._look_for_crash(has_ended=True)

    def _look(self, pid, cpu, looks):
        self.snapshots.take()
        if looks % 8 == 4:
            self.result.memory_mib = max(self.result.memory_mib, tree.memory_mib(pid))
            worker_mib = self.engine.worker_mib(pid)
            if worker_mib is not None:
                self.result.worker_mib = max(self.result.worker_mib or 0.0, worker_mib)
        if self.result.ready is None and looks % 2 == 0:
            executions = self.engine.first_execution(self.run)
            if executions is not None:
                self.result.ready = (executions, cpu)
        self._look_for_crash()

    def _look_for_crash(self, has_ended=False):
        if self.result.crash is not None:
            return
        crashes = [path for path in self.engine.crash_files(self.run)
                   if has_ended or _is_written(path)]
        if crashes:
            first = min(crashes, key=lambda path: path.stat().st_mtime)
            self.result.crash = self.clock.at(first.stat().st_mtime)
            self.result.crash_file = first


def _is_written(path):
    """A file that was only just made may still be without its bytes."""
    status = path.stat()
    return status.st_size > 0 or time.time() - status.st_mtime > LOOK_MAX_S


def end(process):
    """Asks for the end, then forces it; the processor time of all of it."""
    started = tree.members(process.pid)[1:]
    if not has_ended(process):
        _signal(os.killpg, process.pid, signal.SIGINT)
    deadline = time.time() + GRACE_S
    while not has_ended(process):
        if time.time() > deadline:
            _signal(os.killpg, process.pid, signal.SIGKILL)
        time.sleep(0.01)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    for pid in started:
        # Workers in a session of their own, whom their parent forgot.
        _signal(os.kill, pid, signal.SIGKILL)
    return usage.ru_utime + usage.ru_stime


def has_ended(process):
    """Without reaping it: its descendants can still be found."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal(send, pid, number):
    try:
        send(pid, number)
    except ProcessLookupError:
        pass


def last_words(run):
    lines = [line for line in run.text().splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"


def digest(content):
    return hashlib.sha1(content).hexdigest()
