//! Names as people type them: whole names, ends of names, globs.

use super::{DiscoverError, FuzzTest};
use crate::build::{FuzzPackage, Workspace};
use crate::limits::SUGGESTIONS_MAX;

/// How alike two names must be (0 to 1) to be offered in the place of each other.
const LIKENESS_MIN: f64 = 0.75;

/// The packages asked for with `-p`, or all that depend on fuzzd.
pub(crate) fn packages(
    workspace: &Workspace,
    requests: &[String],
) -> Result<Vec<FuzzPackage>, DiscoverError> {
    if workspace.packages.is_empty() {
        return Err(DiscoverError::NoDependency);
    }
    if requests.is_empty() {
        return Ok(workspace.packages.clone());
    }
    let mut chosen: Vec<FuzzPackage> = Vec::new();
    for request in requests {
        let matches = matcher(request)?;
        let found: Vec<&FuzzPackage> = workspace
            .packages
            .iter()
            .filter(|package| {
                let versioned = format!("{}@{}", package.name, package.version);
                matches(&package.name) || versioned == *request || package.id == *request
            })
            .collect();
        if found.is_empty() {
            return Err(if workspace.members.iter().any(|member| matches(member)) {
                DiscoverError::NotDependent { name: request.clone() }
            } else {
                let near = near(request, workspace.members.iter().map(String::as_str));
                DiscoverError::UnknownPackage { name: request.clone(), near }
            });
        }
        for package in found {
            if !chosen.contains(package) {
                chosen.push(package.clone());
            }
        }
    }
    Ok(chosen)
}

/// Whether a name is the one asked for, or matches the glob.
fn matcher(request: &str) -> Result<impl Fn(&str) -> bool + use<>, DiscoverError> {
    let is_glob = request.contains(['*', '?', '[']);
    let pattern = if is_glob { request.to_owned() } else { glob::Pattern::escape(request) };
    let pattern = glob::Pattern::new(&pattern).map_err(|error| DiscoverError::Pattern {
        pattern: request.to_owned(),
        problem: error.msg,
    })?;
    Ok(move |name: &str| pattern.matches(name))
}

/// Positions of the fuzz tests asked for, each once, in the order of `tests`; all of them without a
/// request.
pub(crate) fn tests(tests: &[FuzzTest], requests: &[String]) -> Result<Vec<usize>, DiscoverError> {
    if requests.is_empty() {
        return Ok((0..tests.len()).collect());
    }
    let mut is_chosen = vec![false; tests.len()];
    for request in requests {
        for position in one_request(tests, request)? {
            is_chosen[position] = true;
        }
    }
    Ok((0..tests.len()).filter(|position| is_chosen[*position]).collect())
}

fn one_request(tests: &[FuzzTest], request: &str) -> Result<Vec<usize>, DiscoverError> {
    let matching = |wanted: &dyn Fn(&FuzzTest) -> bool| -> Vec<usize> {
        (0..tests.len()).filter(|position| wanted(&tests[*position])).collect()
    };
    let unknown = || {
        let names = tests.iter().map(|test| test.name.as_str());
        DiscoverError::UnknownTest { name: request.to_owned(), near: near(request, names) }
    };
    if request.contains(['*', '?', '[']) {
        let matches = matcher(request)?;
        let found = matching(&|test| matches(&test.name) || matches(&test.test_path));
        return if found.is_empty() { Err(unknown()) } else { Ok(found) };
    }
    let exact = matching(&|test| test.name == request);
    if !exact.is_empty() {
        return Ok(exact);
    }
    let ending = matching(&|test| {
        let rest = test.name.strip_suffix(request);
        test.test_path == request
            || rest.is_some_and(|rest| rest.ends_with("::") || rest.ends_with('.'))
    });
    match ending.len() {
        0 => Err(unknown()),
        1 => Ok(ending),
        _ => Err(DiscoverError::Ambiguous {
            name: request.to_owned(),
            candidates: ending.iter().map(|position| tests[*position].name.clone()).collect(),
        }),
    }
}

/// Names that look like `request`, the best first. The end of a name may match by itself.
pub(crate) fn near<'a>(request: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| {
            let ends = name.match_indices(['.', ':']).map(|(at, _)| &name[at + 1..]);
            let likenesses = ends.chain([name]).map(|end| strsim::jaro_winkler(request, end));
            (likenesses.fold(0.0, f64::max), name)
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .collect();
    scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let mut near: Vec<String> = Vec::new();
    for (_, name) in scored {
        if near.len() < SUGGESTIONS_MAX && near.iter().all(|known| known != name) {
            near.push(name.to_owned());
        }
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::TestExecutable;

    fn test(name: &str) -> FuzzTest {
        let package = FuzzPackage {
            id: "p".into(),
            name: "p".into(),
            version: "1.0.0".into(),
            root: "/p".into(),
        };
        FuzzTest {
            name: name.into(),
            test_path: name.trim_start_matches("p.").into(),
            types: vec!["[]byte".into()],
            file: "a.rs".into(),
            line: 1,
            executable: TestExecutable {
                path: "/t".into(),
                package,
                target: "p".into(),
                target_option: "--lib".into(),
                library_path: Vec::new(),
            },
            testdata: "/d".into(),
        }
    }

    fn chosen(names: &[&str], requests: &[&str]) -> Result<Vec<usize>, String> {
        let all: Vec<FuzzTest> = names.iter().map(|name| test(name)).collect();
        let requests: Vec<String> = requests.iter().map(|text| (*text).to_owned()).collect();
        super::tests(&all, &requests).map_err(|error| error.to_string())
    }

    const NAMES: &[&str] = &["other::parse", "parse_request", "tests::parse", "tests::print"];

    #[test]
    fn nothing_asked_for_means_all() {
        assert_eq!(chosen(NAMES, &[]), Ok(vec![0, 1, 2, 3]));
    }

    #[test]
    fn names_ends_of_names_and_globs_are_understood() {
        assert_eq!(chosen(NAMES, &["print"]), Ok(vec![3]));
        assert_eq!(chosen(NAMES, &["tests::parse"]), Ok(vec![2]));
        assert_eq!(chosen(NAMES, &["*parse*", "parse_request"]), Ok(vec![0, 1, 2]));
        assert_eq!(chosen(&["p.one", "q.one"], &["p.one"]), Ok(vec![0]));
        assert_eq!(chosen(&["p.one", "q.two"], &["two"]), Ok(vec![1]));
    }

    #[test]
    fn a_whole_name_wins_over_the_end_of_another() {
        assert_eq!(chosen(&["parse", "tests::parse"], &["parse"]), Ok(vec![0]));
    }

    #[test]
    fn two_that_end_alike_must_be_told_apart() {
        let told = chosen(NAMES, &["parse"]).unwrap_err();
        assert_eq!(told, "parse may be any of other::parse, tests::parse");
    }

    #[test]
    fn an_unknown_name_brings_the_nearest_ones() {
        let told = chosen(NAMES, &["parse_reqest"]).unwrap_err();
        assert!(told.starts_with("there is no fuzz test parse_reqest; did you mean parse_request"));
        let told = chosen(&["p.fuzz_a.same", "p.x::other"], &["fuzz_a.sam"]).unwrap_err();
        assert!(told.ends_with("did you mean p.fuzz_a.same?"), "{told}");
        assert_eq!(chosen(NAMES, &["zzz"]), Err("there is no fuzz test zzz".into()));
        assert!(chosen(NAMES, &["x*"]).is_err());
        assert!(chosen(NAMES, &["a[b"]).unwrap_err().contains("is not a pattern"));
    }
}
