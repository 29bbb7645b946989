//! The user's cargo configuration, as far as an instrumented build has to know it.
//!
//! Cargo itself reads all of it again; this only looks at what fuzzd would otherwise override
//! (the compiler wrapper) or contradict (compiler flags, another target).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::BuildError;

/// One configuration file.
#[derive(Debug)]
struct File {
    /// The file.
    path: PathBuf,
    /// What relative program paths in it start from: the directory that holds `.cargo`.
    base: PathBuf,
    values: Table,
}

/// All configuration files that count in one directory, the strongest first, and the environment.
#[derive(Debug)]
pub(crate) struct CargoConfig {
    files: Vec<File>,
    environment: fn(&str) -> Option<OsString>,
}

/// Compiler flags and the place they are set in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) origin: String,
    pub(crate) flags: Vec<String>,
}

impl CargoConfig {
    /// The configuration cargo would use when it is started in `directory`.
    pub(crate) fn read(
        directory: &Path,
        environment: fn(&str) -> Option<OsString>,
    ) -> Result<Self, BuildError> {
        let homes = environment("CARGO_HOME").map(PathBuf::from).or_else(|| {
            let home = environment("HOME").filter(|home| !home.is_empty())?;
            Some(Path::new(&home).join(".cargo"))
        });
        let above = directory.ancestors().map(|ancestor| ancestor.join(".cargo"));
        let mut files: Vec<File> = Vec::new();
        for folder in above.chain(homes) {
            // The file without an extension is the older form, and the one cargo prefers.
            let names = ["config", "config.toml"];
            let Some(path) = names.map(|name| folder.join(name)).into_iter().find(|p| p.is_file())
            else {
                continue;
            };
            if files.iter().any(|file| file.path == path) {
                continue;
            }
            let fault = |message: String| BuildError::Config { path: path.clone(), message };
            let text = std::fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
            let values = text.parse().map_err(|error: toml::de::Error| fault(error.to_string()))?;
            let base = folder.parent().unwrap_or(&folder).to_owned();
            files.push(File { path, base, values });
        }
        Ok(Self { files, environment })
    }

    /// The compiler wrapper of the user's, which our own then starts.
    pub(crate) fn rustc_wrapper(&self) -> Option<PathBuf> {
        self.program(&["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"], "rustc-wrapper")
    }

    /// The compiler, if it is not the one on the path.
    pub(crate) fn rustc(&self) -> Option<PathBuf> {
        self.program(&["RUSTC", "CARGO_BUILD_RUSTC"], "rustc")
    }

    /// The target that is built for if no other is asked for, with its origin.
    pub(crate) fn build_targets(&self) -> Option<(String, Vec<String>)> {
        if let Some(target) = self.variable("CARGO_BUILD_TARGET") {
            return Some(("CARGO_BUILD_TARGET".to_owned(), vec![target]));
        }
        self.strongest("build", "target")
            .map(|(file, value)| (named("build.target", file), strings(value)))
    }

    /// The compiler flags cargo will use for `host`, by cargo's own order of precedence. Those of
    /// `[target.'cfg(…)']` are left out: only cargo knows which of them hold.
    pub(crate) fn rustflags(&self, host: &str) -> Vec<Flags> {
        if let Some(flags) = self.variable("CARGO_ENCODED_RUSTFLAGS") {
            return one("CARGO_ENCODED_RUSTFLAGS", flags.split('\u{1f}'));
        }
        if let Some(flags) = self.variable("RUSTFLAGS") {
            return one("RUSTFLAGS", flags.split_whitespace());
        }
        let name = format!("CARGO_TARGET_{}_RUSTFLAGS", host.to_uppercase().replace('-', "_"));
        let mut found = Vec::new();
        if let Some(flags) = self.variable(&name) {
            found.extend(one(&name, flags.split_whitespace()));
        }
        for file in &self.files {
            let table = file.values.get("target").and_then(|targets| targets.get(host));
            if let Some(flags) = table.and_then(|table| table.get("rustflags")) {
                let origin = named(&format!("target.{host}.rustflags"), file);
                found.push(Flags { origin, flags: strings(flags) });
            }
        }
        if !found.is_empty() {
            return found;
        }
        if let Some(flags) = self.variable("CARGO_BUILD_RUSTFLAGS") {
            found.extend(one("CARGO_BUILD_RUSTFLAGS", flags.split_whitespace()));
        }
        for file in &self.files {
            let table = file.values.get("build");
            if let Some(flags) = table.and_then(|table| table.get("rustflags")) {
                let origin = named("build.rustflags", file);
                found.push(Flags { origin, flags: strings(flags) });
            }
        }
        found
    }

    /// A program by the first of `variables` that is set, else by `build.<key>`. Set to nothing
    /// means none.
    fn program(&self, variables: &[&str], key: &str) -> Option<PathBuf> {
        let (program, base) = variables
            .iter()
            .find_map(|name| (self.environment)(name))
            .map(|program| (PathBuf::from(program), None))
            .or_else(|| {
                let (file, value) = self.strongest("build", key)?;
                Some((PathBuf::from(value.as_str()?), Some(file.base.clone())))
            })?;
        if program.as_os_str().is_empty() {
            return None;
        }
        let is_plain_name = program.components().count() == 1 && !program.is_absolute();
        if is_plain_name {
            return Some(program);
        }
        let base = base.unwrap_or_else(|| std::env::current_dir().unwrap_or_default());
        Some(base.join(program))
    }

    fn strongest(&self, table: &str, key: &str) -> Option<(&File, &Value)> {
        self.files
            .iter()
            .find_map(|file| file.values.get(table)?.get(key).map(|value| (file, value)))
    }

    fn variable(&self, name: &str) -> Option<String> {
        let value = (self.environment)(name)?;
        Some(value.to_string_lossy().into_owned())
    }
}

fn named(key: &str, file: &File) -> String {
    format!("{key} in {}", file.path.display())
}

fn one<'a>(origin: &str, flags: impl Iterator<Item = &'a str>) -> Vec<Flags> {
    let flags = flags.filter(|flag| !flag.is_empty()).map(str::to_owned).collect();
    vec![Flags { origin: origin.to_owned(), flags }]
}

/// A list, or one string of words: cargo takes both.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        Value::Array(values) => {
            values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, text: &str) {
        std::fs::create_dir_all(directory.join(".cargo")).unwrap();
        std::fs::write(directory.join(".cargo/config.toml"), text).unwrap();
    }

    fn nothing(_: &str) -> Option<OsString> {
        None
    }

    #[test]
    fn the_nearest_wrapper_wins_and_is_made_absolute() {
        let top = tempfile::tempdir().unwrap();
        let inner = top.path().join("a");
        write(top.path(), "[build]\nrustc-wrapper = 'sccache'\nrustc = 'tools/rustc'\n");
        write(&inner, "[build]\nrustc-wrapper = './w.sh'\n");
        let config = CargoConfig::read(&inner, nothing).unwrap();
        assert_eq!(config.rustc_wrapper(), Some(inner.join("./w.sh")));
        assert_eq!(config.rustc(), Some(top.path().join("tools/rustc")));
        let config = CargoConfig::read(top.path(), nothing).unwrap();
        assert_eq!(config.rustc_wrapper(), Some(PathBuf::from("sccache")));
    }

    #[test]
    fn an_empty_variable_switches_the_wrapper_off() {
        let top = tempfile::tempdir().unwrap();
        write(top.path(), "[build]\nrustc-wrapper = 'sccache'\n");
        let config =
            CargoConfig::read(top.path(), |name| (name == "RUSTC_WRAPPER").then(OsString::new));
        assert_eq!(config.unwrap().rustc_wrapper(), None);
    }

    #[test]
    fn flags_follow_cargos_precedence() {
        let top = tempfile::tempdir().unwrap();
        write(top.path(), "[build]\nrustflags = ['-Ca=b']\n[target.x]\nrustflags = '-C c=d'\n");
        let config = CargoConfig::read(top.path(), nothing).unwrap();
        assert_eq!(config.rustflags("x")[0].flags, ["-C", "c=d"]);
        assert_eq!(config.rustflags("y")[0].flags, ["-Ca=b"]);
        let config = CargoConfig::read(top.path(), |name| {
            (name == "RUSTFLAGS").then(|| OsString::from("-Ce=f  -g"))
        });
        let flags = config.unwrap().rustflags("x");
        assert_eq!((flags[0].origin.as_str(), flags[0].flags.len()), ("RUSTFLAGS", 2));
    }

    #[test]
    fn a_broken_file_is_named() {
        let top = tempfile::tempdir().unwrap();
        write(top.path(), "[build\n");
        let error = CargoConfig::read(top.path(), nothing).unwrap_err().to_string();
        assert!(error.contains("config.toml"), "{error}");
    }
}
