//! What the attribute knows about a fuzz test, and what follows from it: its path, its package and
//! its testdata.
//!
//! Owns: [`FuzzTest`], the static that every expansion holds. Must not: run it.

use std::path::{Path, PathBuf};

use fuzzd_protocol::value::ValueType;
use fuzzd_worker::{Target, Verdict};

use crate::parameter::Parameter;
use crate::seeds::Seeds;

/// One fuzz test, as generated code describes it.
#[derive(Debug)]
pub struct FuzzTest {
    /// The constant by which the command line finds fuzz tests in an executable. It stays in the
    /// executable because it is part of this.
    pub marker: &'static str,
    /// `module_path!()`: begins with the name of the crate.
    pub module: &'static str,
    /// Name of the function.
    pub name: &'static str,
    /// `file!()`: relative to the workspace root, or wherever the compiler was started.
    pub file: &'static str,
    /// What cargo said when it compiled the fuzz test.
    pub build: Build,
    /// One for each argument.
    pub types: &'static [ValueType],
    /// One for each argument.
    pub parameters: &'static [Parameter],
    /// Runs it on an input in memory form.
    pub run: fn(&[u8]) -> Verdict,
    /// Adds the seeds written in code.
    pub seeds: fn(&mut Seeds),
}

/// Environment variables of cargo at compile time; `None` without cargo.
#[derive(Debug)]
pub struct Build {
    /// `CARGO_MANIFEST_DIR`.
    pub manifest_dir: Option<&'static str>,
    /// `CARGO_PKG_NAME`.
    pub package: Option<&'static str>,
    /// `CARGO_BIN_NAME`: only in binaries.
    pub bin: Option<&'static str>,
    /// `CARGO_TARGET_TMPDIR`: only in integration tests and benchmarks.
    pub test_tmpdir: Option<&'static str>,
}

impl FuzzTest {
    /// The path of the test in its executable: modules without the crate, and the name.
    pub(crate) fn path(&self) -> String {
        match self.module.split_once("::") {
            Some((_, modules)) => format!("{modules}::{}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// The name of the crate, which is that of the test target with `-` as `_`.
    pub(crate) fn crate_name(&self) -> &'static str {
        self.module.split("::").next().unwrap_or(self.module)
    }

    /// The root of the package. Where it was compiled, if that exists; an executable that was
    /// moved to another machine asks the environment.
    pub(crate) fn package_root(&self) -> Option<PathBuf> {
        let compiled = self.build.manifest_dir.map(PathBuf::from).filter(|path| path.is_dir());
        compiled.or_else(|| std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from))
    }

    /// The directories in which inputs of this fuzz test may lie, existing ones only: named after
    /// the path, or after the test target and the path.
    pub(crate) fn testdata_dirs(&self, root: &Path) -> std::io::Result<Vec<PathBuf>> {
        let all = root.join("testdata").join("fuzz");
        let name = self.path().replace("::", ".");
        let entries = match std::fs::read_dir(&all) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut dirs = Vec::new();
        for entry in entries {
            let entry = entry?;
            let matches = entry.file_name().to_str().is_some_and(|found| {
                // The target may be `my-tests` where the crate is `my_tests`.
                let target = found.strip_suffix(&name).and_then(|rest| rest.strip_suffix('.'));
                found == name
                    || target.is_some_and(|target| target.replace('-', "_") == self.crate_name())
            });
            if matches && entry.path().is_dir() {
                dirs.push(entry.path());
            }
        }
        dirs.sort();
        Ok(dirs)
    }

    /// The seeds written in code, in memory form.
    pub(crate) fn seed_memories(&self) -> Vec<Vec<u8>> {
        let mut seeds = Seeds::new(self.types);
        (self.seeds)(&mut seeds);
        seeds.into_memories()
    }

    /// The option by which cargo runs only the test target of this fuzz test.
    pub(crate) fn target_option(&self) -> String {
        if self.build.test_tmpdir.is_some() {
            // `tests/my-fuzz.rs` is the crate `my_fuzz`, but cargo wants the name of the file.
            let stem = Path::new(self.file).file_stem().and_then(|stem| stem.to_str());
            let name = stem
                .filter(|stem| stem.replace('-', "_") == self.crate_name())
                .unwrap_or(self.crate_name());
            return format!("--test {name}");
        }
        match self.build.bin {
            Some(bin) => format!("--bin {bin}"),
            None => "--lib".to_owned(),
        }
    }
}

impl Target for FuzzTest {
    fn types(&self) -> &[ValueType] {
        self.types
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        self.seed_memories()
    }

    fn run(&self, input: &[u8]) -> Verdict {
        (self.run)(input)
    }
}
