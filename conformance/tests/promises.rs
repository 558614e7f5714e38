//! Every promise in `docs/semantics.md` names tests, and they exist.
#![allow(clippy::unwrap_used, reason = "functions that tests share may fail as tests do")]

use std::fs;
use std::path::{Path, PathBuf};

/// The part of the document that holds no promises.
const NO_PROMISES: &str = "What is weaker today";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The files in which a test named `ROOM/FILE: …` may be.
fn places(room: &str, file: &str) -> Vec<PathBuf> {
    let found = match room {
        "suites" | "program" => vec![format!("conformance/tests/{room}/{file}.rs")],
        "fs" | "state" => vec![format!("server/src/{room}/tests/{file}.rs"), format!("server/src/{room}/{file}.rs")],
        "data" => vec![format!("server/src/data/content_tests/{file}.rs"), format!("server/src/data/{file}.rs")],
        "local" => vec!["server/src/local/tests.rs".to_owned()],
        "embedded" => vec!["server/tests/embedded_s3.rs".to_owned()],
        "compound" | "store" => vec![
            format!("server/src/{room}/tests/{file}.rs"),
            format!("server/src/{room}/{file}/tests.rs"),
            format!("server/src/{room}/{file}.rs"),
            format!("server/tests/store_contract/{file}.rs"),
        ],
        kernel => vec![format!("ci/kernel-guest/checks/{}.sh", kernel.strip_prefix("kernel ").unwrap_or_default())],
    };
    found.into_iter().map(|path| repository().join(path)).collect()
}

/// Whether a test `ROOM/FILE: NAME` exists.
fn exists(reference: &str) -> bool {
    let Some((place, name)) = reference.split_once(": ") else { return false };
    let (room, file) = place.split_once('/').unwrap_or((place, ""));
    let declared = if room.starts_with("kernel") {
        |line: &str, name: &str| line == format!("same {name}") || line == format!("once {name}")
    } else {
        |line: &str, name: &str| line.trim_start().trim_start_matches("async ").starts_with(&format!("fn {name}("))
    };
    let texts = places(room, file).into_iter().filter_map(|path| fs::read_to_string(path).ok());
    texts.into_iter().any(|text| text.lines().any(|line| declared(line, name)))
}

#[test]
fn every_promise_names_tests_that_exist() {
    let document = fs::read_to_string(repository().join("docs/semantics.md")).unwrap();
    let chapters = document.split("\n## ").skip(1).filter(|chapter| !chapter.starts_with(NO_PROMISES));
    let mut references = 0;
    for promise in chapters.flat_map(|chapter| chapter.split("\n- ").skip(1)) {
        // What stands between backquotes is each second piece; a test's name has a colon in it.
        let tests: Vec<&str> = promise.split('`').skip(1).step_by(2).filter(|piece| piece.contains(": ")).collect();
        assert!(!tests.is_empty(), "no test for: {promise}");
        for test in &tests {
            assert!(exists(test), "there is no test {test}");
        }
        references += tests.len();
    }
    assert!(references > 100, "only {references} tests were found in the document");
}
