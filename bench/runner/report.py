"""The tables, as Markdown."""
import collections
import datetime
import platform
import re
import subprocess

from . import engines, pair, plots
from .numbers import INFINITE, at_level, edges_at, median, seconds, span, times

ORDER = [*engines.ALL, "go"]
OURS = "fuzzd"
# The rival whose rate others are compared with, the first of these that was measured.
REFERENCES = ("libfuzzer", "go")
# Final edges that differ by less than this share are a tie.
TIE = 0.01
# "Half that time or less" is what fuzzd is built for.
AHEAD = 2.0
# Crashes that come sooner than this are equally fast.
AT_ONCE_S = 1.0


class Results:
    """Runs grouped by target and engine."""

    def __init__(self, results, at=None):
        self.runs = collections.defaultdict(list)
        self.mixed = collections.defaultdict(list)
        self.replayed = collections.defaultdict(list)
        self.alone = collections.defaultdict(list)
        self.kinds = {}
        self.pairs = {mode: collections.defaultdict(list)
                      for mode in (pair.MODE, pair.SEEDS_MODE)}
        for result in results:
            self.kinds[result["target"]] = result["kind"]
            if result["mode"] in self.pairs:
                self.pairs[result["mode"]][result["target"]].append(result)
                continue
            if result["mode"] == "alone":
                self.alone[result["target"]].append(result)
                continue
            groups = {"mix": self.mixed, "replay": self.replayed}.get(result["mode"], self.runs)
            groups[result["target"], result["engine"]].append(result)
        self.at = at
        present = {engine for _, engine in [*self.runs, *self.mixed, *self.replayed]}
        self.engines = [engine for engine in ORDER if engine in present]
        self.rivals = [engine for engine in self.engines if engine != OURS]
        self.reference = next((name for name in REFERENCES if name in self.rivals), "libfuzzer")

    def targets(self, *kinds):
        """Those of these kinds that some engine ran."""
        ran = {target for target, _ in [*self.runs, *self.mixed, *self.replayed]}
        return [target for target, kind in self.kinds.items() if kind in kinds and target in ran]

    def get(self, target, engine):
        """Its runs, those of the largest budget only."""
        runs = self.runs.get((target, engine), [])
        longest = max((run["budget"] for run in runs), default=0)
        return [run for run in runs if run["budget"] == longest]

    def budget(self, target):
        """The budget at which engines are compared: the smallest of theirs."""
        budgets = [runs[0]["budget"] for e in self.engines if (runs := self.get(target, e))]
        return min(budgets + ([self.at] if self.at else []), default=0)

    def edges(self, target, engine, second):
        """Median edges after so many seconds."""
        return median([edges_at(run["curve"], second) for run in self.get(target, engine)])

    def reached(self, target, engine, level):
        """Seconds until so many edges, of each run."""
        return [at_level(run["curve"], level) for run in self.get(target, engine)]


def tables(results, at=None):
    data = Results(results, at)
    if not data.kinds:
        return "There are no results."
    parts = [rates(data), bounds(data), replays(data), mixes(data), edges(data)]
    parts += [same_coverage(data, rival) for rival in data.rivals]
    parts += [crashes(data, "bug", "Known bugs"), crashes(data, "magic", "Single comparisons")]
    parts += [failures(data), memory(data), workers(data), pairs(data), notes(data)]
    return "\n\n".join(part for part in parts if part)


def grid(title, head, rows, after=""):
    if not rows:
        return ""
    lines = [f"## {title}", "", row(head), row(["---"] + ["---:"] * (len(head) - 1))]
    lines += [row(cells) for cells in rows]
    return "\n".join(lines) + (f"\n\n{after}" if after else "")


def row(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def rate_rows(data, groups):
    """Median rates, and the ratio to those of the rival that others are compared with."""
    rows, ratios = [], []
    for target in data.targets("plain", "parser"):
        rates = {e: median([r["rate"] for r in groups(target, e) if r.get("rate")])
                 for e in data.engines}
        if not any(rate for rate in rates.values()):
            continue
        cells = ["–" if rates[e] is None else f"{rates[e]:,.0f}" for e in data.engines]
        ratio = "–"
        if rates.get(OURS) and rates.get(data.reference):
            value = rates[OURS] / rates[data.reference]
            ratio = f"{value:.2f}"
            if data.kinds[target] == "parser":
                ratios.append(value)
        rows.append([target, *cells, ratio])
    after = ""
    if ratios:
        after = (f"fuzzd to {data.reference} on parsers: {median(ratios):.2f} in the median, "
                 f"{min(ratios):.2f} at least.")
    return rows, after


def rates(data):
    rows, after = rate_rows(data, data.get)
    head = ["executions per CPU second", *data.engines, f"{OURS} / {data.reference}"]
    return grid("Executions per second, whole runs", head, rows, after)


def bounds(data):
    """What the worker does without any coordinator, beside whole runs with the rival's."""
    rows, ratios = [], []
    for target, runs in data.alone.items():
        bound = median([run["rate"] for run in runs])
        rates = [run["rate"] for run in data.get(target, data.reference) if run.get("rate")]
        ratio = "–"
        if rates:
            ratios.append(bound / median(rates))
            ratio = f"{ratios[-1]:.2f}"
        rows.append([target, f"{bound:,.0f}", f"{median(rates):,.0f}" if rates else "–", ratio])
    head = ["executions per CPU second", "the worker alone", data.reference, "ratio"]
    after = f"{median(ratios):.2f} in the median." if ratios else ""
    return grid("Executions per second of the worker alone", head, rows, after)


def replays(data):
    rows, after = rate_rows(data, lambda target, engine: data.replayed.get((target, engine), []))
    head = ["executions per CPU second", *data.engines, f"{OURS} / {data.reference}"]
    return grid("Executions per second, the same inputs replayed", head, rows, after)


def mixes(data):
    rows, after = rate_rows(data, lambda target, engine: data.mixed.get((target, engine), []))
    head = ["executions per CPU second", *data.engines, f"{OURS} / {data.reference}"]
    return grid("Executions per second, starting from the same corpus", head, rows, after)


def edges(data):
    rows = []
    for target in data.targets("parser"):
        end = data.budget(target)
        moments = [end / 30, end / 6, end]
        cells = []
        for engine in data.engines:
            values = [data.edges(target, engine, moment) for moment in moments]
            cells.append("–" if values[-1] is None else " → ".join(f"{v:.0f}" for v in values))
        rows.append([target, f"{end:g} s", *cells])
    head = ["edges after 1/30, 1/6 and all of", "budget", *data.engines]
    return grid("Edges over time", head, rows)


def same_coverage(data, rival):
    if OURS not in data.engines:
        return ""
    rows, verdicts = [], collections.Counter()
    for target in data.targets("parser"):
        if not data.get(target, OURS) or not data.get(target, rival):
            continue
        end = data.budget(target)
        level, ours = data.edges(target, rival, end), data.edges(target, OURS, end)
        if not level or ours is None:
            continue
        reached = data.reached(target, OURS, level)
        second = median(reached)
        extent = min(run["budget"] for run in data.get(target, OURS))
        verdict = judged(second, end, ours, level, extent)
        verdicts[verdict] += 1
        back = median(data.reached(target, rival, ours))
        own = median(data.reached(target, rival, level))
        rows.append([target, f"{level:.0f}", f"{ours:.0f}", span(reached), times(end, second),
                     seconds(own), verdict, seconds(back)])
    head = ["target", f"{rival}'s edges", "fuzzd's", "fuzzd reaches them after", "times faster",
            f"{rival} itself", "verdict", f"{rival} reaches fuzzd's after"]
    count = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.most_common())
    return grid(f"Time to the same coverage: fuzzd and {rival}", head, rows,
                f"Of {len(rows)}: {count}." if rows else "")


def judged(second, end, ours, level, extent):
    """ahead: half the budget or less; faster; tie: within 1 % at its end; late: up to twice the
    budget; behind.
    """
    if second <= end / AHEAD:
        return "ahead"
    if second <= end:
        return "faster"
    if ours >= level * (1 - TIE):
        return "tie"
    if second <= 2 * end:
        return "late"
    return "behind" if extent >= 2 * end else "not reached"


def crash_seconds(data, target, engine):
    runs = data.get(target, engine)
    return [run.get("crash", INFINITE) for run in runs]


def crashes(data, kind, title):
    rows, verdicts, solved = [], collections.Counter(), collections.Counter()
    nobody, measured = [], collections.Counter()
    for target in data.targets(kind):
        found = {e: crash_seconds(data, target, e) for e in data.engines}
        middle = {e: median(times_) for e, times_ in found.items() if times_}
        for engine, second in middle.items():
            solved[engine] += second < 10
            measured[engine] += 1
        cells = [span(found[e]) if found[e] else "–" for e in data.engines]
        rivals = [second for e, second in middle.items() if e != OURS]
        verdict = ""
        if OURS in middle and rivals:
            verdict = crash_verdict(middle[OURS], min(rivals))
            verdicts[verdict] += 1
            if min(rivals) == INFINITE:
                nobody.append(target)
        rows.append([target, *cells, verdict])
    head = ["CPU seconds to the first crash", *data.engines, "fuzzd and the best rival"]
    after = ["Solved in less than 10 s in the median: "
             + ", ".join(f"{e} {solved[e]} of {measured[e]}" for e in data.engines if measured[e])
             + "."]
    if verdicts:
        after.append("fuzzd is " + ", ".join(f"{n} {v}" for v, n in verdicts.most_common()) + ".")
    if nobody:
        after.append(f"No rival that was run finds: {', '.join(nobody)}.")
    return grid(title, head, rows, " ".join(after))


def crash_verdict(ours, best):
    if ours == best == INFINITE:
        return "nobody"
    if max(ours, best) < AT_ONCE_S:
        return "tie"
    return "faster" if ours <= best else "slower"


def failures(data):
    """What the parsers were caught at: a failure that nobody expects is looked at."""
    rows = []
    for target in data.targets("parser"):
        for engine in data.engines:
            runs = data.get(target, engine)
            crashed = [run for run in runs if "crash" in run]
            places = sorted({str(run.get("crash_at")).split("\n")[0][:100] for run in crashed})
            if crashed:
                moments = span([run.get("crash", INFINITE) for run in runs])
                rows.append([target, engine, f"{len(crashed)} of {len(runs)}", moments,
                             "; ".join(f"`{place}`" for place in places)])
    head = ["parser", "engine", "runs with a failure", "CPU seconds to the first", "where"]
    return grid("Failures of the parsers", head, rows)


def workers(data):
    """Resident memory of the process that runs the target, where engines have one apart."""
    rows, ratios = [], []
    for target in data.targets("parser"):
        found = {e: median([run.get("worker_mib") for run in data.get(target, e)])
                 for e in data.engines}
        if not any(found.values()):
            continue
        ours, theirs = found.get(OURS), found.get(data.reference)
        ratio = theirs / ours if ours and theirs else None
        ratios.append(ratio)
        cells = ["–" if found[e] is None else f"{found[e]:.0f}" for e in data.engines]
        rows.append([target, *cells, "–" if ratio is None else f"{ratio:.1f}"])
    head = ["largest worker, MiB resident", *data.engines, f"{data.reference} / {OURS}"]
    middle = median(ratios)
    after = f"{middle:.1f} times less than {data.reference} in the median." if middle else ""
    return grid("Memory of a worker", head, rows, after)


def memory(data):
    rows = []
    for target in data.targets("plain", "parser"):
        values = [median([run["memory_mib"] for run in data.get(target, e)]) for e in data.engines]
        rows.append([target, *("–" if v is None else f"{v:.0f}" for v in values)])
    return grid("Peak memory, MiB, all processes", ["target", *data.engines], rows)


def pairs(data):
    """Executions where both sides start from a corpus, edges where they start from the seeds."""
    def rate(side):
        return lambda run: run[side] / run["budget"]

    executions = pair_table(
        data.pairs[pair.MODE], "Two workers of one run beside two runs",
        "executions per second of wall time", rate("together"), rate("apart"))
    edges = pair_table(
        data.pairs[pair.SEEDS_MODE], "Two workers of one run beside two runs, from the seeds",
        "edges at the end", lambda run: run["edges_together"], lambda run: run["edges_apart"])
    return "\n\n".join(part for part in (executions, edges) if part)


def pair_table(results, title, what, together, apart):
    rows, ratios = [], []
    for target, runs in results.items():
        both = (median([side(run) for run in runs]) for side in (together, apart))
        ratio = median([together(run) / max(apart(run), 1) for run in runs])
        ratios.append(ratio)
        rows.append([target, *(f"{value:,.0f}" for value in both), f"{ratio:.3f}"])
    after = f"{median(ratios):.3f} in the median, {min(ratios):.3f} at least." if ratios else ""
    return grid(title, [what, "two workers", "two runs with one", "ratio"], rows, after)


def notes(data):
    found = []
    for (target, engine), runs in data.runs.items():
        starts = [run["starts"] for run in runs if run["kind"] == "parser"]
        if starts and max(starts) > 1:
            found.append(f"- {engine} on {target}: started up to {max(starts)} times, "
                         "as each crash of the target ends it.")
        found += [f"- {engine} on {target}: {run['note']}" for run in runs if run.get("note")]
    return "## Notes\n\n" + "\n".join(dict.fromkeys(found)) if found else ""


def machine():
    """In a line, without names of anybody's machine."""
    try:
        with open("/proc/cpuinfo") as file:
            model = re.search(r"model name\s*: (.*)", file.read())[1]
    except (OSError, TypeError):
        model = platform.machine()
    rustc = subprocess.run(["rustc", "-V"], capture_output=True, text=True).stdout.split(" (")[0]
    return f"{model.strip()}, Linux {platform.release().split('-')[0]}, {rustc.strip()}"


def write(results, bench, at=None, suffix="", command="scripts/bench"):
    """RESULTS.md, and a plot for each parser; each name with the suffix."""
    data = Results(results, at)
    reps = sorted({len(runs) for runs in data.runs.values()})
    count = str(reps[0]) if len(reps) == 1 else f"{reps[0]} to {reps[-1]}" if reps else "no"
    method = (bench / f"METHOD{suffix}.md").read_text().strip()
    today = datetime.date.today().isoformat()
    head = (f"# Results\n\nWritten by `{command} table --write` on {today}: {machine()}; "
            f"{'1 run' if count == '1' else f'{count} runs'} of each, medians (and the range).\n\n{method}")
    drawings = f"plots{suffix.lower()}"
    drawn = plots.write(data, bench / drawings)
    links = "\n".join(f"![{name}]({drawings}/{name}.svg)" for name in drawn)
    parts = [head, tables(results, at)]
    if links:
        parts.append(f"## Coverage over CPU time\n\n{links}")
    (bench / f"RESULTS{suffix}.md").write_text("\n\n".join(parts) + "\n")
