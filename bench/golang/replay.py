"""The same inputs run by both engines, each once and as they are: what an execution costs.

Which inputs an engine mutates decides how long its executions take, so rates of whole runs, and of
runs from the same corpus, say as much about choice as about cost. Here there is none: the inputs
are given, and it is over when an engine has run them. They are what the engines found, and changes of
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

from runner import measure as measure_run
from runner import store, tree
from runner.build import say

from . import engines

MODE = "replay"
# Inputs of one target: as many as a worker runs in this time, up to so many and so many bytes.
GATHER_S = 10
INPUTS_MAX = 20_000
BYTES_MAX = 256 << 20
# Wall time after which a run is given up.
RUN_S = 900
# Between two looks at whether an engine has run its inputs.
LOOK_S = 0.01
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
    """The files, then changes of them, more than anybody takes."""
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
    """Writes inputs that pass into the folder."""
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


def measure(place, target, reps, core, corpus, out):
    """Runs both engines on the same inputs, in an order that changes with the repetition. Where one
    is missing, both are measured: inputs that are gathered anew are others.
    """
    done = {store.key(result) for result in store.load([out])}
    missing = []
    for rep in range(reps):
        pair = [{"mode": MODE, "engine": engine, "target": target.name, "rep": rep, "budget": 0}
                for engine in (("fuzzd", "go") if rep % 2 == 0 else ("go", "fuzzd"))]
        missing += pair if any(store.key(one) not in done for one in pair) else []
    if not missing:
        return
    runs = place.work / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"replay-{target.name}-", dir=runs,
                                     ignore_cleanup_errors=True) as name:
        scratch = pathlib.Path(name)
        inputs = scratch / "inputs"
        gather(place, target, corpus, inputs)
        for number, identity in enumerate(missing):
            run = place.new_run(target, 1, scratch / f"run{number}", None)
            engine, command = COMMANDS[identity["engine"]](place, run, inputs)
            count, cpu = _until_ready(engine, command, run, core)
            if not count:
                say(f"{engine.name} {target.name}: ended before it had run its inputs")
                continue
            rate = round(count / cpu, 1)
            result = dict(identity, kind=target.kind, executions=count, cpu=round(cpu, 2), rate=rate)
            store.add(out, result)
            say(f"{engine.name} {target.name} #{identity['rep']}: "
                f"{count:,} inputs in {cpu:.2f} CPU s, {rate:,.0f}/s")


def _go(place, run, inputs):
    engine = engines.ALL["go"]
    shutil.copytree(inputs, run.folder / "cache" / run.target.test)
    return engine, engine.command(run)


def _fuzzd(place, run, inputs):
    engine = engines.ALL["fuzzd"]
    return engine, [*engine.command(run), "--seeds", inputs]


COMMANDS = {"go": _go, "fuzzd": _fuzzd}


def _until_ready(engine, command, run, core):
    """Executions, and processor time of all processes, when the inputs had been run; no executions
    if it ended before that, or took too long.
    """
    with open(run.log, "w") as log:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, cwd=run.directory, start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        size, deadline = 0, time.time() + RUN_S
        while time.time() < deadline and not measure_run.has_ended(process):
            time.sleep(LOOK_S)
            cpu = tree.processor_s(process.pid)
            if run.log.stat().st_size != size:
                size = run.log.stat().st_size
                count = engine.first_execution(run)
                if count is not None:
                    return count, cpu
        return 0, 0.0
    finally:
        measure_run.end(process)
