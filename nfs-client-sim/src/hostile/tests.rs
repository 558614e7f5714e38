//! The table of attacks, and an attack on a server that is none.

use std::collections::BTreeSet;

use tokio::net::TcpListener;

use super::*;

#[test]
fn every_case_has_a_name_of_its_own_and_something_that_is_allowed() {
    let mut names = BTreeSet::new();
    for case in cases::ALL.iter().flat_map(|group| group.cases) {
        assert!(names.insert(case.name), "{} is there twice", case.name);
        assert!(!case.allowed.is_empty() && case.section.starts_with("RFC "), "{}", case.name);
    }
    assert!(names.len() > 100, "{} cases", names.len());
}

#[test]
fn a_case_is_about_minor_versions_that_are_there() {
    assert!(About::All.is_in(&[0]) && About::All.is_in(&[2]));
    assert!(About::Minor0.is_in(&[0, 1]) && !About::Minor0.is_in(&[1, 2]));
    assert!(About::Sessions.is_in(&[1]) && !About::Sessions.is_in(&[0]));
}

#[tokio::test]
async fn a_server_that_closes_every_connection_is_an_error_and_no_report() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let options = Options { addr, directory: "/".into(), connections: 1, pid: None };
    assert!(run(options).await.unwrap_err().is_lost());
    server.abort();
}
