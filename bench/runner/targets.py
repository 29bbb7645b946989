"""The list of targets, and their seeds as files."""
import dataclasses
import re
import tomllib

from . import seeds

MAX_LEN = 4096
# The questions of bodies/magic.rs start from one byte.
MAGIC_SEED = b"\n"
KINDS = ("plain", "parser", "bug", "magic")


@dataclasses.dataclass(frozen=True)
class Target:
    name: str
    kind: str
    seed: bytes
    max_len: int

    @property
    def executable(self):
        """All single comparisons share one."""
        return "magic" if self.kind == "magic" else self.name

    @property
    def test(self):
        """The name of the fuzz test, and of the question."""
        return self.name.removeprefix("magic_")


def load(bench):
    """Every target, in the order of the tables, by name."""
    found = {}
    for name, entry in tomllib.loads((bench / "targets.toml").read_text()).items():
        text = entry["seed"]
        seed = seeds.made(name) if text == "made" else text.encode()
        found[name] = Target(name, entry["kind"], seed, entry.get("max_len", MAX_LEN))
    source = (bench / "bodies/magic.rs").read_text()
    questions = re.search(r"\$then! \{(.*?)\}", source, re.S)[1].split()
    for question in questions:
        name = f"magic_{question}"
        found[name] = Target(name, "magic", MAGIC_SEED, 512)
    return found


def choose(known, words):
    """Targets by name, by kind (`parsers`, `bugs`, `magic`) or `all`; raises KeyError."""
    chosen = {}
    for word in words.split(","):
        kind = word.rstrip("s") if word.rstrip("s") in KINDS else word
        matching = [t for t in known.values() if word == "all" or kind in (t.kind, t.name)]
        if not matching:
            raise KeyError(word)
        chosen.update((target.name, target) for target in matching)
    return list(chosen.values())


def write_seed(target, directory):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "seed").write_bytes(target.seed)
    return directory
