//! Which cargo and which rustc: the same ones a person would get by typing `cargo`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::BuildError;
use super::config::CargoConfig;

/// The programs that build.
#[derive(Debug, Clone)]
pub(crate) struct Toolchain {
    pub(crate) cargo: PathBuf,
    pub(crate) rustc: PathBuf,
    /// What `rustc -vV` says.
    pub(crate) version: String,
    /// The target triple of this machine.
    pub(crate) host: String,
}

/// The cargo that started us, or else the one on the path.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

impl Toolchain {
    /// Asks the compiler who it is.
    pub(crate) fn find(config: &CargoConfig) -> Result<Self, BuildError> {
        let cargo = cargo();
        let rustc = config.rustc().unwrap_or_else(|| beside(&cargo));
        let output = Command::new(&rustc)
            .arg("-vV")
            .output()
            .map_err(|source| BuildError::Start { program: rustc.clone(), source })?;
        let version = String::from_utf8_lossy(&output.stdout).into_owned();
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let Some(host) = host.map(str::to_owned).filter(|_| output.status.success()) else {
            return Err(BuildError::UnknownCompiler { program: rustc });
        };
        Ok(Self { cargo, rustc, version, host })
    }
}

/// The rustc of the same toolchain, if cargo is known by its path.
fn beside(cargo: &Path) -> PathBuf {
    let sibling = cargo.with_file_name("rustc");
    if cargo.is_absolute() && sibling.is_file() { sibling } else { PathBuf::from("rustc") }
}

/// Variables that cargo sets for programs it starts, as with `cargo run`. An inner cargo must not
/// see them: build scripts would be run again whenever they change.
pub(crate) fn forget_outer_cargo(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_outer = ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_CRATE_"]
            .iter()
            .any(|prefix| text.starts_with(prefix));
        if is_outer || matches!(text.as_ref(), "OUT_DIR" | "CARGO_PRIMARY_PACKAGE") {
            command.env_remove(&name);
        }
    }
}
