"""Builds of every engine, each with its own flags, in folders of their own."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

from . import engines, replay

# What `cargo fuzz` passes without a sanitizer; all of it works on stable Rust.
COVERAGE = " ".join((
    "-Cpasses=sancov-module", "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg fuzzing", "-Cdebug-assertions", "-Ccodegen-units=1",
))
# Programs by the Debian package that has them, for each engine that is built.
NEEDS = {
    "fuzzd": {"cc": "gcc"},
    "replay": {"cc": "gcc"},
    "libfuzzer": {"c++": "g++"},
    "afl": {"clang": "clang", "make": "make", "cargo-afl": None},
    "libafl": {"clang": "clang", "llvm-nm": "llvm", "ld.lld": "lld", "c++": "g++"},
    "honggfuzz": {"cc": "gcc", "make": "make", "cargo-hfuzz": None},
}
# Packages without a program of their own.
LIBRARIES = {
    "honggfuzz": ("binutils-dev", "libunwind-dev", "libblocksruntime-dev"),
    "libafl": ("libclang-dev",),
}
# Parts of the compiler that rustup installs: tools of Debian's LLVM are too old to read its files.
COMPONENTS = {"libafl": "llvm-tools"}
# Cargo tools that cargo itself installs, at the versions of rivals/Cargo.toml.
TOOLS = {"cargo-afl": ("cargo-afl", "0.18.2"), "cargo-hfuzz": ("honggfuzz", "0.5.62")}


class BuildError(Exception):
    """An engine that cannot be built, and where to read why."""


class Place:
    """Where everything is: sources, builds, and the executables that came out."""

    def __init__(self, root, work, fuzzd_target=None, fuzzd=None):
        self.root, self.bench, self.work = root, root / "bench", work
        self.builds = work / "build"
        self.fuzzd_target = fuzzd_target or self.builds / "fuzzd"
        self.fuzzd = fuzzd or self.fuzzd_target / "release/fuzzd"
        self.tests_list = self.fuzzd_target / "bench-tests.json"
        self._tests = None

    def host(self):
        text = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
        return next(line[6:] for line in text.splitlines() if line.startswith("host: "))

    def new_run(self, target, seed_number, folder, start_corpus):
        """A run of an engine in a folder of its own."""
        return engines.Run(self, target, seed_number, folder, start_corpus)

    def starts(self, target):
        """Inputs that are there before a run, and not in its corpus: none."""
        return []

    def replayer(self, target):
        return replay.Replayer(self.executable("replay", target), target)

    def rival(self, engine, name):
        return self.builds / engine / self.host() / "release" / name

    def fuzz_test(self, name):
        if self._tests is None:
            self._tests = json.loads(self.tests_list.read_text())
        if name not in self._tests:
            raise BuildError(f"fuzzd: no test executable for {name}; build without --no-build")
        return pathlib.Path(self._tests[name])

    def tools(self):
        """The environment in which cargo finds the commands that were installed here."""
        path = f"{self.builds / 'tools/bin'}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "XDG_DATA_HOME": str(self.builds / "tools/share")}

    def honggfuzz(self):
        found = sorted((self.builds / "honggfuzz").rglob("honggfuzz"))
        return next(path for path in found if path.is_file() and os.access(path, os.X_OK))

    def executable(self, engine, target):
        """Of an engine (by the name of its build) for a target; raises BuildError."""
        if engine == "fuzzd":
            path = self.fuzz_test(target.executable)
        else:
            path = self.rival(engine, target.executable)
        if not path.exists():
            raise BuildError(f"{engine} has no executable for {target.name}")
        return path


def prepare(engine):
    """Installs what is missing where that is possible, else says what to install."""
    if engine in COMPONENTS and shutil.which("rustup"):
        subprocess.run(["rustup", "--quiet", "component", "add", COMPONENTS[engine]])
    wanted = {package for program, package in NEEDS[engine].items()
              if package and not shutil.which(program)}
    for package in LIBRARIES.get(engine, ()):
        status = subprocess.run(["dpkg", "-s", package], capture_output=True, text=True)
        if shutil.which("dpkg") and "ok installed" not in status.stdout:
            wanted.add(package)
    if not wanted:
        return
    if not shutil.which("apt-get"):
        raise BuildError(f"{engine} needs these Debian packages or their like: {_list(wanted)}")
    say(f"installing {_list(wanted)}")
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    install = [*as_root, "apt-get", "install", "-yq", *sorted(wanted)]
    update = [*as_root, "apt-get", "update", "-q"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if subprocess.run(install, **quiet).returncode:
        subprocess.run(update, **quiet)
        if subprocess.run(install, **quiet).returncode:
            raise BuildError(f"{engine} needs {_list(wanted)}; run: {' '.join(install)}")


def build(place, engine, names, jobs):
    """Builds the executables `names`; raises BuildError with the path of the log."""
    prepare(engine)
    log = place.fuzzd_target / "bench.log" if engine == "fuzzd" else place.builds / f"{engine}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    say(f"building {engine} (log: {log})")
    for tool in NEEDS[engine]:
        if tool in TOOLS and not shutil.which(tool, path=place.tools()["PATH"]):
            package, version = TOOLS[tool]
            options = ["--version", version, "--root", place.builds / "tools", "--locked"]
            _run(log, engine, ["cargo", "install", package, *options], {})
    if engine == "fuzzd":
        _fuzzd(place, names, log, jobs)
    else:
        _rival(place, engine, names, log, jobs)


def _rival(place, engine, names, log, jobs):
    manifest = ["--manifest-path", place.bench / "Cargo.toml", "-p", "fuzzd-bench-rivals"]
    options = [*manifest, "--features", engine, f"-j{jobs}", "--keep-going"]
    options += [word for name in names for word in ("--bin", name)]
    environment = {"CARGO_TARGET_DIR": str(place.builds / engine), **place.tools()}
    target = ["--release", "--target", place.host()]
    command = ["cargo", "build", *target, *options]
    if engine == "afl":
        # It refuses to build its runtime a second time.
        runtime = place.builds / "tools/share"
        if not list(runtime.glob(f"afl.rs/{_compiler()}*/*/afl-llvm")):
            _run(log, engine, ["cargo", "afl", "config", "--build", "--force"], environment)
        command.insert(1, "afl")
    elif engine == "honggfuzz":
        # It adds the target and --release itself, and looks for the package where it is started.
        command = ["cargo", "hfuzz", "build", *options[2:]]
        environment["HFUZZ_WORKSPACE"] = str(place.work / "hfuzz")
    else:
        environment["RUSTFLAGS"] = COVERAGE
    _run(log, engine, command, environment, cwd=place.bench)


def _fuzzd(place, names, log, jobs):
    environment = {"CARGO_TARGET_DIR": str(place.fuzzd_target), "CARGO_BUILD_JOBS": str(jobs)}
    if place.fuzzd == place.fuzzd_target / "release/fuzzd":
        manifest = place.root / "Cargo.toml"
        command = ["cargo", "build", "--release", "-p", "fuzzd-cli", "--manifest-path", manifest]
        _run(log, "fuzzd", command, environment)
    features = ",".join(f"test_{name}" for name in names)
    manifest = place.bench / "Cargo.toml"
    command = [place.fuzzd, "build", "--manifest-path", manifest, "--features", features]
    output = _run(log, "fuzzd", command, environment)
    tests = {}
    for word in output.split():
        path = pathlib.Path(word)
        if path.is_absolute() and path.is_file() and os.access(path, os.X_OK):
            tests[path.name.rsplit("-", 1)[0]] = str(path)
    if not tests:
        raise BuildError(f"fuzzd build named no executables; see {log}")
    place.tests_list.write_text(json.dumps(tests, indent=1))


def _run(log, engine, command, environment, cwd=None):
    command = [str(word) for word in command]
    with open(log, "a") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        ended = subprocess.run(
            command, env=dict(os.environ, **environment), cwd=cwd, stdout=subprocess.PIPE,
            stderr=file, text=True, stdin=subprocess.DEVNULL,
        )
        file.write(ended.stdout)
    if ended.returncode:
        raise BuildError(f"{engine} could not be built; see {log}")
    return ended.stdout


def _compiler():
    """As cargo-afl names it: rustc-1.95.0."""
    return "-".join(subprocess.check_output(["rustc", "-V"], text=True).split()[:2])


def _list(words):
    return ", ".join(sorted(words))


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)
