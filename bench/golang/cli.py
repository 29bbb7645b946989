"""The commands of scripts/bench-go."""
import argparse
import pathlib
import shutil
import tempfile

from runner import report, store
from runner.build import BuildError, say
from runner.replay import ReplayError
from runner.cli import checked_core, guarded, stored
from runner.session import Session, mix_corpus

from . import alone, engines, replay, targets
from .place import Place

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HELP = """\
Measures fuzzd beside Go's own coordinator (`go test -fuzz`), on fuzz tests of Go's standard library:
the same unmodified test binary, seeds and number of workers, on one pinned core.

  scripts/bench-go                               everything: about 4 hours of one core
  scripts/bench-go --targets net.netip.Parse --cpu 20 --reps 1
  scripts/bench-go replay                        executions per second of the same inputs, both engines
  scripts/bench-go mix                           executions per second from the same corpus
  scripts/bench-go alone --cpu 5                 executions per second of the worker, without any
      coordinator, on the corpora of Go's
  scripts/bench-go table DIR... [--write]        the tables again; --write: bench/RESULTS-GO.md
  scripts/bench-go list                          the fuzz tests there are

Runs that are in --out already are not repeated. bench/METHOD-GO.md has the method."""


def parser():
    text = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(prog="scripts/bench-go", description=HELP, formatter_class=text)
    commands = top.add_subparsers(dest="command", metavar="run|replay|mix|alone|build|table|list")
    for name in ("run", "replay", "mix", "alone", "build"):
        add = commands.add_parser(name, formatter_class=text, description=HELP).add_argument
        if name not in ("replay", "alone"):
            add("--engines", default=",".join(engines.ALL), help="separated by commas")
        add("--targets", default="all", help="names, packages, or all [all]")
        add("--cpu", type=float, default=60, metavar="S", help="budget in CPU seconds [60]")
        add("--reps", type=int, default=3, metavar="N", help="repetitions [3]")
        add("--out", type=pathlib.Path, metavar="DIR", help="results [WORK/results]")
        add("--against", type=pathlib.Path, action="append", default=[], metavar="DIR",
            help="results of another engine to compare with; may be given several times")
        add("--work", type=pathlib.Path, default=ROOT / "target/bench-go", metavar="DIR",
            help="builds and running engines [target/bench-go]")
        add("--no-build", action="store_true", help="with what was built before")
        add("--fuzzd", type=pathlib.Path, metavar="FILE", help="this fuzzd [built from this source]")
        add("--go", metavar="VERSION", help="this version of Go [that of the tests]")
        add("--core", type=int, metavar="N", help="the core to run on [the last one]")
        add("--jobs", type=int, default=2, metavar="N", help="parallel compilers [2]")
    table = commands.add_parser("table", help="tables of results that are there")
    table.add_argument("folders", nargs="*", type=pathlib.Path, metavar="DIR")
    table.add_argument("--write", action="store_true", help="bench/RESULTS-GO.md and its plots")
    commands.add_parser("list", help="the fuzz tests")
    return top


def main(arguments):
    if not arguments or arguments[0].startswith("--") and arguments[0] != "--help":
        arguments = ["run", *arguments]
    options = parser().parse_args(arguments)
    if options.command == "list":
        print(*targets.load(ROOT / "bench"), sep="\n")
        return 0
    if options.command == "table":
        return table(options)
    return guarded(measure, options)


def measure(options):
    core = checked_core(options)
    try:
        chosen = targets.choose(targets.load(ROOT / "bench"), options.targets)
        # Both have to run what is replayed.
        named = getattr(options, "engines", ",".join(engines.ALL))
        wanted = [engines.ALL[name] for name in named.split(",")]
    except KeyError as error:
        raise ValueError(f"there is no {error}; scripts/bench-go list names the tests") from None
    work = options.work.resolve()
    place = Place(ROOT, work, options.fuzzd and options.fuzzd.resolve(), options.go)
    if not options.no_build:
        place.build(chosen, options.jobs)
    if options.command == "build":
        return 0
    out = options.out.resolve() if options.out else work / "results"
    session = Session(place, wanted, out, core)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bench-go-"))
    try:
        corpora = [out, *(folder.resolve() for folder in options.against)]
        names = "go-*" if options.command == "alone" else "*"
        mix = None if options.command == "run" else mix_corpus(corpora, scratch, names)
        if options.command in ("alone", "replay"):
            for target in chosen:
                without_choice(options, place, target, core, mix(target), out)
        else:
            session.all(chosen, options.reps, options.cpu, mix)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    names = {target.name for target in chosen}
    results = [r for r in store.load([*options.against, out]) if r["target"] in names]
    say(f"Go is {place.version}")
    print(report.tables(results))
    return 0


def without_choice(options, place, target, core, corpus, out):
    """Measures where no engine chooses its inputs; what cannot be measured is named."""
    try:
        if not corpus:
            say(f"no corpus of {target.name} yet: run it first")
        elif options.command == "alone":
            alone.measure(place, target, options.reps, options.cpu, core, corpus, out)
        else:
            replay.measure(place, target, options.reps, core, corpus, out)
    except (BuildError, ReplayError) as error:
        say(f"{target.name}: {error}")


def table(options):
    results = stored(options.folders or [ROOT / "target/bench-go/results"])
    if options.write:
        report.write(results, ROOT / "bench", suffix="-GO", command="scripts/bench-go")
        say("wrote bench/RESULTS-GO.md and bench/plots-go")
    else:
        print(report.tables(results))
    return 0
