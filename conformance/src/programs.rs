//! Where the programs under test are.

use std::path::PathBuf;

/// The program that the environment variable names, or the one of this package that was built in this test's profile.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn program(package: &str, variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(
        || {
            let test = std::env::current_exe().unwrap();
            test.ancestors().nth(2).unwrap().join(package)
        },
        PathBuf::from,
    );
    let how = format!("build it with `cargo build --package {package}`, or name one in {variable}");
    assert!(path.is_file(), "no program at {}: {how}", path.display());
    path
}
