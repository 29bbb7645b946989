//! What `cargo metadata` says: which packages have fuzz tests, and which belong to our runtime.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use cargo_metadata::{
    CargoOpt, DependencyKind, Metadata, MetadataCommand, Node, NodeDep, PackageId,
};

use super::BuildError;
use super::toolchain;
use super::wrapper::Package;
use crate::args::CargoArgs;

/// The crates that make up the runtime: never instrumented, however they are reached.
const RUNTIME: &[&str] =
    &["fuzzd", "fuzzd-core", "fuzzd-macros", "fuzzd-protocol", "fuzzd-shm", "fuzzd-worker"];

/// One Cargo workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Where its root `Cargo.toml` lies.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target_directory: PathBuf,
    /// Members that depend on fuzzd, also through another package, by name.
    pub(crate) packages: Vec<FuzzPackage>,
    /// All members, by name.
    pub(crate) members: Vec<String>,
    /// Packages that must not be instrumented, in order.
    pub(crate) uninstrumented: Vec<Package>,
}

/// A workspace member that depends on fuzzd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FuzzPackage {
    /// Unique, as cargo writes it; also a valid `-p` argument.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// The directory of its `Cargo.toml`.
    pub(crate) root: PathBuf,
}

impl Workspace {
    /// Asks cargo; `host` limits the dependencies to those of this machine.
    pub(crate) fn read(arguments: &CargoArgs, host: &str) -> Result<Self, BuildError> {
        let mut command = command(arguments.manifest_path.as_deref());
        if arguments.all_features {
            command.features(CargoOpt::AllFeatures);
        }
        if arguments.no_default_features {
            command.features(CargoOpt::NoDefaultFeatures);
        }
        if !arguments.features.is_empty() {
            command.features(CargoOpt::SomeFeatures(arguments.features.clone()));
        }
        let mut options = vec!["--filter-platform".to_owned(), host.to_owned()];
        if arguments.locked {
            options.push("--locked".to_owned());
        }
        if arguments.offline {
            options.push("--offline".to_owned());
        }
        command.other_options(options);
        Ok(Self::from_metadata(&execute(&command)?))
    }

    fn from_metadata(metadata: &Metadata) -> Self {
        let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
        let graph: HashMap<&PackageId, &Node> = nodes.iter().map(|node| (&node.id, node)).collect();
        let runtime: BTreeSet<&PackageId> = metadata
            .packages
            .iter()
            .filter(|package| RUNTIME.contains(&package.name.as_str()))
            .map(|package| &package.id)
            .collect();
        let is_fuzzd = |id: &PackageId| metadata[id].name == "fuzzd";
        let mut packages: Vec<FuzzPackage> = metadata
            .workspace_members
            .iter()
            .filter(|id| !runtime.contains(id))
            .filter_map(|id| graph.get(id))
            .filter(|node| uses(node, &graph, &is_fuzzd))
            .map(|node| fuzz_package(&metadata[&node.id]))
            .collect();
        packages.sort_by(|one, other| one.name.cmp(&other.name));
        let mut members: Vec<String> =
            metadata.workspace_packages().iter().map(|member| member.name.to_string()).collect();
        members.sort();
        Self {
            root: metadata.workspace_root.clone().into(),
            target_directory: metadata.target_directory.clone().into(),
            packages,
            members,
            uninstrumented: uninstrumented(metadata, &graph, &runtime),
        }
    }
}

/// The root of the workspace, `None` outside of one. Does not look at dependencies.
pub(crate) fn root(manifest_path: Option<&Path>) -> Result<Option<PathBuf>, BuildError> {
    let mut command = command(manifest_path);
    command.no_deps();
    match execute(&command) {
        Ok(metadata) => Ok(Some(metadata.workspace_root.into())),
        // Who fuzzes an executable needs no cargo.
        Err(BuildError::NoManifest { .. } | BuildError::Start { .. })
            if manifest_path.is_none() =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn command(manifest_path: Option<&Path>) -> MetadataCommand {
    let mut command = MetadataCommand::new();
    command.cargo_path(toolchain::cargo());
    if let Some(path) = manifest_path {
        command.manifest_path(path);
    }
    command
}

fn execute(command: &MetadataCommand) -> Result<Metadata, BuildError> {
    let refused = |message: String| BuildError::Metadata { message };
    match command.exec() {
        Ok(metadata) => Ok(metadata),
        Err(cargo_metadata::Error::CargoMetadata { stderr }) => {
            if stderr.contains("could not find `Cargo.toml`") {
                let directory = std::env::current_dir().unwrap_or_default();
                return Err(BuildError::NoManifest { directory });
            }
            Err(refused(stderr.trim().trim_start_matches("error: ").to_owned()))
        }
        Err(cargo_metadata::Error::Io(source)) => {
            Err(BuildError::Start { program: toolchain::cargo(), source })
        }
        Err(error) => Err(refused(error.to_string())),
    }
}

fn fuzz_package(package: &cargo_metadata::Package) -> FuzzPackage {
    let manifest: PathBuf = package.manifest_path.clone().into();
    FuzzPackage {
        id: package.id.repr.clone(),
        name: package.name.to_string(),
        version: package.version.to_string(),
        root: manifest.parent().map(Path::to_owned).unwrap_or_default(),
    }
}

/// The runtime, and every package that is reachable through fuzzd but not from the user's code.
fn uninstrumented(
    metadata: &Metadata,
    graph: &HashMap<&PackageId, &Node>,
    runtime: &BTreeSet<&PackageId>,
) -> Vec<Package> {
    let members = metadata.workspace_members.iter().filter(|id| !runtime.contains(id));
    let by_user = reachable(members.collect(), graph, |id| !runtime.contains(id));
    let by_runtime = reachable(runtime.iter().copied().collect(), graph, |_| true);
    let left_out: BTreeSet<Package> = by_runtime
        .difference(&by_user)
        .map(|id| &metadata[*id])
        .map(|package| Package {
            name: package.name.to_string(),
            version: package.version.to_string(),
        })
        .collect();
    left_out.into_iter().collect()
}

/// Whether tests of a package can name a package that `is_wanted`: as a dependency, or through
/// one that passes it on, which those that are only for its own tests cannot.
fn uses(
    package: &Node,
    graph: &HashMap<&PackageId, &Node>,
    is_wanted: &impl Fn(&PackageId) -> bool,
) -> bool {
    let linked = |node: &Node, kinds: &[DependencyKind]| -> Vec<PackageId> {
        let has_kind = |dependency: &&NodeDep| {
            dependency.dep_kinds.iter().any(|kind| kinds.contains(&kind.kind))
        };
        node.deps.iter().filter(has_kind).map(|dependency| dependency.pkg.clone()).collect()
    };
    let mut open = linked(package, &[DependencyKind::Normal, DependencyKind::Development]);
    let mut seen: BTreeSet<PackageId> = BTreeSet::new();
    while let Some(id) = open.pop() {
        if is_wanted(&id) {
            return true;
        }
        if seen.insert(id.clone())
            && let Some(node) = graph.get(&id)
        {
            open.extend(linked(node, &[DependencyKind::Normal]));
        }
    }
    false
}

/// What is linked into the start packages: dependencies of build scripts do not count.
fn reachable<'a>(
    start: Vec<&'a PackageId>,
    graph: &HashMap<&'a PackageId, &'a Node>,
    may_enter: impl Fn(&PackageId) -> bool,
) -> BTreeSet<&'a PackageId> {
    let mut seen: BTreeSet<&PackageId> = start.iter().copied().collect();
    let mut open = start;
    while let Some(node) = open.pop().and_then(|id| graph.get(id)) {
        for dependency in &node.deps {
            let is_linked =
                dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Build);
            if is_linked && may_enter(&dependency.pkg) && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    seen
}
