"""Edges that inputs reach, all counted by one executable that belongs to no engine."""
import queue
import subprocess
import threading

# One input may take as long as any engine lets it, and somewhat more.
INPUT_S = 20
# Inputs on which the replayer itself may die before it is given up.
DEATHS_MAX = 50


class ReplayError(Exception):
    """The replayer does not run."""


class Replayer:
    """Lines of one process after the other: one that an input kills is started behind it."""

    def __init__(self, executable, target):
        self.executable, self.target = executable, target
        self.total = 0

    def _start(self):
        process = subprocess.Popen(
            [self.executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env={"BENCH_MAGIC": self.target.test},
        )
        lines = queue.SimpleQueue()

        def read():
            for line in process.stdout:
                lines.put(line)
            lines.put("")

        threading.Thread(target=read, daemon=True).start()
        return process, lines

    def each(self, paths):
        """For each path where it panicked (None, or "died") and the edges it was first to reach."""
        remaining, deaths = list(paths), 0
        while remaining and deaths < DEATHS_MAX:
            process, lines = self._start()
            feeder = threading.Thread(target=_feed, args=(process, remaining), daemon=True)
            feeder.start()
            done = 0
            try:
                self.total = int(lines.get(timeout=INPUT_S) or 0)
                while done < len(remaining):
                    words = lines.get(timeout=INPUT_S).split()
                    if not words:
                        break
                    yield (None if words[0] == "-" else words[0]), [int(w) for w in words[1:]]
                    done += 1
            except queue.Empty:
                pass
            process.kill()
            process.wait()
            feeder.join()
            if not self.total:
                raise ReplayError(f"{self.executable} does not count")
            remaining = remaining[done:]
            if remaining:
                # It died on this one, or hangs: the input counts for nothing.
                deaths += 1
                yield "died", []
                remaining = remaining[1:]


def _feed(process, paths):
    try:
        process.stdin.writelines(f"{path}\n" for path in paths)
        process.stdin.close()
    except (BrokenPipeError, ValueError):
        pass


def curve(replayer, finds):
    """[[seconds, edges]…] of finds in order of time, only where the number grows; and the files
    that made it grow.
    """
    known, points, files = set(), [], []
    results = replayer.each([path for _, path in finds])
    for (second, path), (_, edges) in zip(finds, results):
        before = len(known)
        known.update(edges)
        if len(known) == before:
            continue
        files.append(path)
        second = round(max(second, 0.0), 3)
        if points and points[-1][0] == second:
            points[-1][1] = len(known)
        else:
            points.append([second, len(known)])
    return points, files


def place_of(replayer, path):
    """Where the replayed input panics."""
    for place, _ in replayer.each([path]):
        return short(place)
    return None


def short(place):
    """Without the folders of this machine."""
    if not place:
        return place
    for mark in ("/registry/src/", "/bodies/"):
        if mark in place:
            rest = place.split(mark, 1)[1]
            return rest.split("/", 1)[1] if mark == "/registry/src/" else f"bodies/{rest}"
    return place
