"""The commands of scripts/bench."""
import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile

from . import engines, pair, report, store, targets
from .build import BuildError, Place, say
from .replay import ReplayError
from .session import Session, mix_corpus

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMMANDS = ("run", "table", "mix", "pair", "build", "list")
HELP = """\
Measures fuzzd beside libFuzzer, AFL++, LibAFL and honggfuzz, on the same parsers.

  scripts/bench                                  everything: up to 9 hours of one core
  scripts/bench --engines fuzzd,libfuzzer --targets parsers --cpu 30 --reps 2
  scripts/bench --engines fuzzd --targets serde_json,png --cpu 30 --against OTHER_RESULTS
  scripts/bench mix --engines fuzzd,libfuzzer    executions per second from the same corpus
  scripts/bench pair --targets empty,png --cpu 10  two workers beside two runs, wall time; from the
      seeds, or with --against from what was found before
  scripts/bench table DIR... [--write]           the tables again; --write: into bench/RESULTS.md
  scripts/bench list                             the targets there are

Budgets are seconds of processor time of everything an engine starts, on one pinned core, so other
work on the machine changes how long it takes and hardly what comes out. Runs that are in --out
already are not repeated: a stopped bench goes on when started again (--again measures anew).
Engines: fuzzd libfuzzer afl libafl honggfuzz, and libfuzzer_vp (with -use_value_profile=1). One
that cannot be built is named, and the others go on. Missing Debian packages are installed with
apt-get where that is possible, else named. bench/README.md has the method."""


def parser():
    text = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(prog="scripts/bench", description=HELP, formatter_class=text)
    commands = top.add_subparsers(dest="command", metavar="run|mix|pair|build|table|list")
    for name in ("run", "mix", "pair", "build"):
        one = commands.add_parser(name, formatter_class=text, description=HELP)
        measuring(one)
    table = commands.add_parser("table", help="tables of results that are there")
    table.add_argument("folders", nargs="*", type=pathlib.Path, metavar="DIR")
    table.add_argument("--at", type=float, metavar="S", help="compare at this budget")
    table.add_argument("--write", action="store_true", help="bench/RESULTS.md and its plots")
    commands.add_parser("list", help="targets by kind")
    return top


def measuring(one):
    add = one.add_argument
    add("--engines", default=",".join(engines.DEFAULT), help="separated by commas")
    add("--targets", default="all", help="names, or: all parsers bugs magic plain [all]")
    add("--cpu", type=float, default=60, metavar="S", help="budget in CPU seconds [60]")
    add("--reps", type=int, default=3, metavar="N", help="repetitions with other seeds [3]")
    add("--out", type=pathlib.Path, metavar="DIR", help="results [WORK/results]")
    add("--against", type=pathlib.Path, action="append", default=[], metavar="DIR",
        help="results of other engines to compare with; may be given several times")
    add("--again", action="store_true", help="forget earlier results of these engines and targets")
    add("--work", type=pathlib.Path, default=ROOT / "target/bench", metavar="DIR",
        help="builds and running engines [target/bench]")
    add("--no-build", action="store_true", help="with what was built before")
    add("--no-build-rivals", action="store_true", help="build fuzzd only")
    add("--fuzzd", type=pathlib.Path, metavar="FILE", help="this fuzzd [built from this source]")
    add("--fuzzd-target", type=pathlib.Path, metavar="DIR",
        help="where fuzzd and its tests are built [WORK/build/fuzzd]")
    add("--core", type=int, metavar="N", help="the core to run on [the last one]")
    add("--jobs", type=int, default=2, metavar="N", help="parallel compilers [2]")


def main(arguments):
    if not arguments or arguments[0] not in (*COMMANDS, "-h", "--help"):
        arguments = ["run", *arguments]
    options = parser().parse_args(arguments)
    if options.command == "table":
        return table(options)
    if options.command == "list":
        for target in targets.load(ROOT / "bench").values():
            print(f"{target.kind:7} {target.name}")
        return 0
    return guarded(measure, options)


def guarded(measure, options):
    """Measures, and ends with a sentence where it cannot."""
    # Also when started in the background, where a shell has SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return measure(options)
    except (BuildError, ReplayError, ValueError) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit("\nbench: stopped; the same command goes on from here")


def checked_core(options):
    """The core to run on; raises ValueError for numbers that cannot be."""
    if options.cpu <= 0 or options.reps < 1:
        raise ValueError("--cpu and --reps must be more than zero")
    core = max(os.sched_getaffinity(0)) if options.core is None else options.core
    if core not in os.sched_getaffinity(0):
        raise ValueError(f"--core {core}: there is no such core here")
    return core


def measure(options):
    chosen, chosen_engines = selected(options)
    work = options.work.resolve()
    place = Place(ROOT, work, absolute(options.fuzzd_target), absolute(options.fuzzd))
    out = absolute(options.out) or work / "results"
    core = checked_core(options)
    if options.again:
        names = {target.name for target in chosen}, {engine.name for engine in chosen_engines}
        mode = options.command
        store.remove(out, lambda r: r["target"] in names[0] and r["engine"] in names[1]
                     and r["mode"] == mode)
    if options.command == "pair":
        chosen_engines = [engines.ALL["fuzzd"]]
    session = Session(place, chosen_engines, out, core)
    if not options.no_build:
        session.build(chosen, options.jobs, options.no_build_rivals)
    if options.command == "build":
        return 0
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bench-mix-"))
    try:
        corpora = [out, *(folder.resolve() for folder in options.against)]
        is_pair = options.command == "pair"
        is_mixed = options.command == "mix" or is_pair and options.against
        mix = mix_corpus(corpora, scratch) if is_mixed else None
        kinds = ("parser", "plain") if is_mixed or is_pair else targets.KINDS
        wanted = [target for target in chosen if target.kind in kinds]
        if is_pair:
            session.pairs(wanted, options.reps, options.cpu, mix)
        else:
            session.all(wanted, options.reps, options.cpu, mix)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    names = {target.name for target in chosen}
    results = [r for r in store.load([*options.against, out]) if r["target"] in names]
    print(report.tables(results))
    return 0


def selected(options):
    try:
        chosen = targets.choose(targets.load(ROOT / "bench"), options.targets)
    except KeyError as error:
        raise ValueError(f"no target {error}; scripts/bench list names them") from None
    unknown = [name for name in options.engines.split(",") if name not in engines.ALL]
    if unknown:
        raise ValueError(f"no engine {unknown[0]}; there are {' '.join(engines.ALL)}")
    return chosen, [engines.ALL[name] for name in options.engines.split(",")]


def absolute(path):
    return path.resolve() if path else None


def stored(folders):
    """All results of folders that have some; ends where one has none."""
    missing = [folder for folder in folders if not (folder / store.FILE).exists()]
    if missing:
        sys.exit(f"bench: no {store.FILE} in {missing[0]}")
    return store.load(folders)


def table(options):
    results = stored(options.folders or [ROOT / "target/bench/results"])
    if options.write:
        report.write(results, ROOT / "bench", options.at)
        say("wrote bench/RESULTS.md and bench/plots")
    else:
        print(report.tables(results, options.at))
    return 0
