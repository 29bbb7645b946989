"""The same inputs run by both engines, each once and as they are: what an execution costs.

Which inputs an engine mutates decides how long its executions take, so rates of whole runs, and of
runs from the same corpus, say as much about choice as about cost. Here there is none: the inputs
are given, and an engine ends when it has run them. They are what the engines found, and changes of
that, as each is run only once; inputs that fail are left out, as a failure ends a run of Go's.
"""
import hashlib
import itertools
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import time

from runner import store
from runner.build import say

MODE = "replay"
# Inputs of one target: as many as a worker runs in this time, up to so many and so many bytes.
GATHER_S = 10
INPUTS_MAX = 20_000
BYTES_MAX = 256 << 20
# One character of a quoted text, however it is written.
UNIT = re.compile(r"\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\[0-7]{3}|\\.|[^\\]")
TEXT = re.compile(r'^(\[\]byte|string)\("(.*)"\)$')
WHOLE = re.compile(r"^(u?int\d*|byte|rune)\((-?\d+)\)$")
UNITS = [chr(code) if chr(code) not in '"\\' else "\\" + chr(code) for code in range(32, 127)]


def changed(line, chance):
    """A line of a corpus file with a value of the same type, one character or number apart."""
    text = TEXT.match(line)
    if text:
        units = UNIT.findall(text[2])
        at = chance.randrange(len(units) + 1)
        units[at:at + chance.randrange(3)] = chance.choices(UNITS, k=chance.randrange(2))
        return f'{text[1]}("{"".join(units)}")'
    whole = WHOLE.match(line)
    # Small enough for any type, signed or not; bytes and runes may be written as characters.
    return f"{whole[1]}({chance.randrange(128)})" if whole else line


def variants(files, chance):
    """The files, then changes of them without end."""
    known = set()
    for content in itertools.chain(files, _changes(files, chance)):
        digest = hashlib.sha256(content).digest()
        if digest not in known:
            known.add(digest)
            yield content


def _changes(files, chance):
    for _ in range(4 * INPUTS_MAX):
        lines = chance.choice(files).decode(errors="surrogateescape").splitlines()
        at = chance.randrange(1, len(lines)) if len(lines) > 1 else 0
        lines[at] = changed(lines[at], chance)
        yield "\n".join([*lines, ""]).encode(errors="surrogateescape")


def gather(place, target, corpus, folder):
    """Writes inputs that pass into the folder; how many."""
    files = [path.read_bytes() for path in sorted(corpus.iterdir())]
    folder.mkdir(parents=True)
    chance, waiting, count, size = random.Random(target.name), [], 0, 0
    aside = folder.parent / "candidates"
    aside.mkdir()
    # The first one waits for the start of the process.
    begun = None

    def candidates():
        for content in variants(files, chance):
            is_enough = count >= INPUTS_MAX or size >= BYTES_MAX
            if is_enough or begun and time.time() > begun + GATHER_S:
                return
            path = aside / hashlib.sha256(content).hexdigest()[:16]
            path.write_bytes(content)
            waiting.append(path)
            yield path

    for failure, _ in place.replayer(target).each(candidates()):
        path, begun = waiting.pop(), begun or time.time()
        if failure is None:
            path.rename(folder / path.name)
            count, size = count + 1, size + (folder / path.name).stat().st_size
        else:
            path.unlink()
    return count


def measure(place, target, reps, core, corpus, out):
    """Runs both engines on the same inputs, in an order that changes with the repetition."""
    done = {store.key(result) for result in store.load([out])}
    identities = [{"mode": MODE, "engine": engine, "target": target.name, "rep": rep, "budget": 0}
                  for rep in range(reps)
                  for engine in (("fuzzd", "go") if rep % 2 == 0 else ("go", "fuzzd"))]
    missing = [identity for identity in identities if store.key(identity) not in done]
    if not missing:
        return
    runs = place.work / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"replay-{target.name}-", dir=runs) as name:
        scratch = pathlib.Path(name)
        inputs = scratch / "inputs"
        count = gather(place, target, corpus, inputs) + len(place.starts(target))
        for identity in missing:
            run = place.new_run(target, 1, scratch / "run", None)
            cpu = ENGINES[identity["engine"]](place, run, inputs, count, core)
            shutil.rmtree(run.folder)
            if cpu is None:
                say(f"{identity['engine']} {target.name}: did not run all of its inputs")
                continue
            rate = round(count / cpu, 1)
            result = dict(identity, kind=target.kind, executions=count, cpu=round(cpu, 2), rate=rate)
            store.add(out, result)
            say(f"{identity['engine']} {target.name} #{identity['rep']}: "
                f"{count:,} inputs in {cpu:.2f} CPU s, {rate:,.0f}/s")


def _go(place, run, inputs, count, core):
    """Go's own coordinator: it ends after so many executions, which begin with the corpus."""
    cache = run.folder / "cache"
    shutil.copytree(inputs, cache / run.target.test)
    command = [place.executable("go", run.target), "-test.paniconexit0", "-test.run=^$",
               f"-test.fuzz=^{run.target.test}$", f"-test.fuzzcachedir={cache}",
               "-test.parallel=1", f"-test.fuzztime={count + 1}x"]
    cpu, log = _timed(command, run, core)
    finished = re.search(r"gathering baseline coverage: (\d+)/\1 completed, now fuzzing", log)
    return cpu if finished else None


def _fuzzd(place, run, inputs, count, core):
    """fuzzd: one new execution, after the seeds."""
    request = f"{place.executable('fuzzd', run.target)}:{run.target.test}"
    command = [place.fuzzd, "run", request, "-j1", "--json", "--seed", "1", "--execs", "1",
               "--seeds", inputs, "--state", run.folder / "state"]
    cpu, log = _timed(command, run, core)
    ran = re.findall(r'"execs_other":(\d+)', log)
    # What Go tells apart by its text may be the same value.
    return cpu if ran and int(ran[-1]) >= 0.99 * count else None


ENGINES = {"go": _go, "fuzzd": _fuzzd}


def _timed(command, run, core):
    """Processor time of a command and of all it waited for, and what it said."""
    with open(run.log, "w") as log:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, cwd=run.directory, start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, run.text()
