"""Where the Go toolchain, its test binaries and the folders that they run in are."""
import os
import pathlib
import shutil
import subprocess

from runner.build import BuildError, say

from . import seeds
from .engines import Run
from .worker import Replayer


class Place:
    """What a session asks for: builds, executables and replayers."""

    def __init__(self, root, work, fuzzd, version):
        self.root, self.work = root, work
        self.fuzzd = fuzzd or work / "fuzzd/release/fuzzd"
        self._is_own = fuzzd is None
        command = [str(root / "scripts/go-toolchain"), *([version] if version else [])]
        found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if found.returncode:
            raise BuildError(f"there is no Go toolchain: {found.stderr.strip()}")
        self.go = found.stdout.strip()
        self.source = pathlib.Path(self._ask("env", "GOROOT")) / "src"
        self.version = self._ask("env", "GOVERSION")
        # Other versions have other binaries, and other seeds.
        self.binaries, self.seeds = work / self.version, work / self.version / "seeds"

    def _ask(self, *words):
        command = [self.go, *words]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def executable(self, _engine, target):
        """The test binary, which both engines run; raises BuildError."""
        path = self.binaries / target.executable
        if not path.exists():
            raise BuildError(f"{target.name} is not built")
        return path

    def new_run(self, target, seed_number, folder, start_corpus):
        return Run(self, target, seed_number, folder, start_corpus)

    def starts(self, target):
        """What both engines start from, as found before the first second."""
        folder = self.seeds / target.name
        if not folder.exists():
            seeds.harvest(self.executable("go", target), target.test, folder,
                          self.folder_of(target))
        return [(0.0, path) for path in sorted(folder.iterdir())]

    def replayer(self, target):
        return Replayer(self.executable("replay", target), target.test, self.folder_of(target))

    def folder_of(self, target):
        return self.source / target.package

    def build(self, targets, jobs):
        """Builds fuzzd and the test binaries; says which packages cannot be built."""
        if self._is_own:
            say("building fuzzd")
            environment = dict(os.environ, CARGO_TARGET_DIR=str(self.work / "fuzzd"))
            command = ["cargo", "build", "--release", "-p", "fuzzd-cli", "-j", str(jobs)]
            subprocess.run(command, cwd=self.root, env=environment, check=True)
        self.binaries.mkdir(parents=True, exist_ok=True)
        for name, package in sorted({(t.executable, t.package) for t in targets}):
            path = self.binaries / name
            if path.exists():
                continue
            say(f"building {package}")
            # A test of the standard library is built where its source is.
            command = [self.go, "test", "-c", "-fuzz=.", "-o", str(path), f"./{package}"]
            environment = dict(os.environ, GOMAXPROCS=str(jobs), GOFLAGS="", GOWORK="off")
            built = subprocess.run(command, cwd=self.source, env=environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if built.returncode:
                say(f"{package} cannot be built: {built.stdout.strip()[-500:]}")

    def copy(self, target, folder):
        """A copy of the package's folder at the same place of a tree of links, so that what a run
        writes beside the sources is its own, and what a test reads elsewhere is found.
        """
        source, copy = self.source, folder / "src"
        for part in pathlib.Path(target.package).parts:
            copy.mkdir(parents=True)
            for entry in os.scandir(source):
                if entry.name != part:
                    (copy / entry.name).symlink_to(entry.path)
            source, copy = source / part, copy / part
        shutil.copytree(source, copy)
        for folder, _, _ in os.walk(copy):
            os.chmod(folder, 0o755)
        return copy
