//! Which crate may know which.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::source::root;
use crate::{Rule, Violation};

/// Our own crates that each of ours may use in its product (tests may use more).
const ALLOWED: &[(&str, &[&str])] = &[
    ("fuzzd-core", &[]),
    ("fuzzd-protocol", &[]),
    ("fuzzd-shm", &[]),
    ("fuzzd-macros", &[]),
    ("fuzzd-worker", &["fuzzd-core", "fuzzd-protocol", "fuzzd-shm"]),
    ("fuzzd", &["fuzzd-macros", "fuzzd-protocol", "fuzzd-worker"]),
    ("fuzzd-go", &["fuzzd-protocol"]),
    ("fuzzd-coordinator", &["fuzzd-core", "fuzzd-go", "fuzzd-protocol", "fuzzd-shm"]),
    ("fuzzd-cli", &["fuzzd-coordinator", "fuzzd-core", "fuzzd-go", "fuzzd-protocol"]),
    ("fuzzd-integration", &["fuzzd-go"]),
];

/// Crates that must never see the other, tests included.
const STRANGERS: &[(&str, &str)] = &[
    ("fuzzd-worker", "fuzzd-coordinator"),
    ("fuzzd-coordinator", "fuzzd-worker"),
    ("fuzzd-core", "fuzzd-protocol"),
    ("fuzzd-core", "fuzzd-shm"),
    ("fuzzd-protocol", "fuzzd-core"),
    ("fuzzd-protocol", "fuzzd-shm"),
    ("fuzzd-shm", "fuzzd-core"),
    ("fuzzd-shm", "fuzzd-protocol"),
    ("fuzzd-go", "fuzzd-coordinator"),
    ("fuzzd-go", "fuzzd-core"),
];

/// Crates in whose product tokio must not be, however far down.
const WITHOUT_TOKIO: &[&str] = &[
    "fuzzd-core",
    "fuzzd-protocol",
    "fuzzd-shm",
    "fuzzd-macros",
    "fuzzd-go",
    "fuzzd-worker",
    "fuzzd",
];

pub(crate) fn violations() -> Vec<Violation> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .exec()
        .expect("cargo metadata reads the workspace");
    let mut found = Vec::new();
    direct(&metadata, &mut found);
    tokio(&metadata, &mut found);
    found
}

fn arrow(from: &str, to: &str, why: &str) -> Violation {
    let place = format!("{from} -> {to}");
    let text = format!("{place}: {why}");
    Violation { rule: Rule::Arrow, place, text }
}

fn direct(metadata: &Metadata, found: &mut Vec<Violation>) {
    let ours: BTreeSet<String> =
        metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let Some((_, allowed)) = ALLOWED.iter().find(|(crate_name, _)| *crate_name == name) else {
            found.push(arrow(name, "?", "a crate without its line in this test's table"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| ours.contains(&d.name)) {
            let to = dependency.name.as_str();
            let is_product = dependency.kind != DependencyKind::Development;
            if is_product && !allowed.contains(&to) {
                found.push(arrow(name, to, "this arrow is not in the design"));
            }
            if STRANGERS.contains(&(name, to)) {
                found.push(arrow(name, to, "these two never see each other"));
            }
        }
    }
}

fn tokio(metadata: &Metadata, found: &mut Vec<Violation>) {
    let resolve = metadata.resolve.as_ref().expect("metadata with dependencies has a graph");
    let names: BTreeMap<_, _> =
        metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    for root in metadata.workspace_packages() {
        if !WITHOUT_TOKIO.contains(&root.name.as_str()) {
            continue;
        }
        let mut queue = vec![&root.id];
        let mut seen = BTreeSet::new();
        while let Some(id) = queue.pop() {
            if !seen.insert(id) {
                continue;
            }
            if names[id] == "tokio" {
                found.push(arrow(
                    root.name.as_str(),
                    "tokio",
                    "a worker blocks; it has no runtime",
                ));
            }
            for dependency in &nodes[id].deps {
                let kinds = &dependency.dep_kinds;
                if kinds.iter().any(|kind| kind.kind == DependencyKind::Normal) {
                    queue.push(&dependency.pkg);
                }
            }
        }
    }
}
