use std::collections::BTreeMap;
use std::path::Path;

use super::*;

/// The pages that state rules, and the one that lists them.
const PAGES: [&str; 5] =
    ["protocol.md", "shared-memory.md", "coverage.md", "corpus-format.md", "go-dialect.md"];

fn page(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-spec");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// Identifiers in brackets, and how often each stands there.
fn marked(text: &str) -> BTreeMap<&str, usize> {
    let mut marked = BTreeMap::new();
    for piece in text.split("`[").skip(1) {
        let (id, rest) = piece.split_once(']').unwrap_or_default();
        let is_id = id.contains('.') && id.chars().all(|c| matches!(c, 'a'..='z' | '_' | '.'));
        if is_id && rest.starts_with('`') {
            *marked.entry(id).or_default() += 1;
        }
    }
    marked
}

#[test]
fn every_rule_has_its_place_in_the_specification_and_no_other_is_named_there() {
    let pages = PAGES.map(page).concat();
    let marked = marked(&pages);
    for rule in RULES {
        assert_eq!(marked.get(rule.id), Some(&1), "{} stands in one place", rule.id);
    }
    assert_eq!(marked.len(), RULES.len(), "{marked:?}");
}

#[test]
fn the_specification_lists_the_rules_as_they_are_printed() {
    let list = page("conformance.md");
    let rows: Vec<&str> = list.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), RULES.len());
    for (row, rule) in rows.iter().zip(RULES) {
        let scope = match (rule.is_for(WorkerDialect::Native), rule.is_for(WorkerDialect::Go)) {
            (true, true) => "both",
            (true, false) => "native",
            (false, _) => "Go",
        };
        assert_eq!(**row, format!("| `{}` | {scope} | {} |", rule.id, rule.what));
    }
}

#[test]
fn group_and_session_are_read_whatever_the_name_of_the_program() {
    use super::checks::start::group_and_session;
    assert_eq!(group_and_session("7 (a) S 1 (b)) S 1 7 0 34816 7"), Some((7, 0)));
    assert_eq!(group_and_session("7 (cat) S 1 7 5 34816 7"), Some((7, 5)));
    assert_eq!(group_and_session("7 (cat) S 1 7"), None);
    assert_eq!(group_and_session(""), None);
}
