"""The fuzz tests of Go's standard library that are measured."""
import dataclasses
import tomllib


@dataclasses.dataclass(frozen=True)
class Target:
    package: str
    test: str
    # What the tables that are shared with other targets ask for.
    kind: str = "parser"

    @property
    def name(self):
        return f"{self.package.replace('/', '.')}.{self.test.removeprefix('Fuzz')}"

    @property
    def executable(self):
        """All fuzz tests of a package share one."""
        return f"{self.package.replace('/', '.')}.test"


def load(bench):
    """Every target by name."""
    packages = tomllib.loads((bench / "go.toml").read_text())
    found = [Target(package, test) for package, tests in packages.items() for test in tests]
    return {target.name: target for target in found}


def choose(known, words):
    """Targets by name, by package or `all`; raises KeyError."""
    chosen = {}
    for word in words.split(","):
        matching = [t for t in known.values() if word in ("all", t.name, t.package)]
        if not matching:
            raise KeyError(word)
        chosen.update((target.name, target) for target in matching)
    return list(chosen.values())
