//! `integration/go/SUITE.md` names tests: each of them exists.

use std::collections::BTreeSet;
use std::fs;

use fuzzd_integration::repository;

/// Scripts of Go that a row is about.
const SCRIPTS: usize = 34;

fn read(path: &str) -> String {
    let path = repository().join("integration").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Texts between two back quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_the_table_of_go_s_tests_names_exists() {
    let table = read("go/SUITE.md");
    let names: BTreeSet<&str> =
        quoted(&table).filter(|name| name.contains("::") && !name.contains(' ')).collect();
    assert!(names.len() > 50, "{names:?}");
    for name in names {
        let (module, test) = name.rsplit_once("::").expect("it has a module");
        let text = read(&format!("tests/go/{}.rs", module.replace("::", "/")));
        // By hand, or in a list of a macro.
        let is_there = [format!("fn {test}()"), format!("    {test}: \"")];
        assert!(is_there.iter().any(|there| text.contains(there)), "{name} does not exist");
    }
}

#[test]
fn every_script_of_go_has_its_row() {
    let table = read("go/SUITE.md");
    let rows = table.lines().filter(|line| {
        line.starts_with("| test_fuzz") || line.starts_with("| test2json_interrupt")
    });
    let scripts: BTreeSet<&str> = rows.filter_map(|row| row.split(' ').nth(1)).collect();
    assert_eq!(scripts.len(), SCRIPTS, "{scripts:?}");
    let rows = table.lines().filter(|line| line.starts_with("| "));
    assert!(rows.clone().all(|row| row.trim_end().ends_with('|') && row.len() > 10));
}
