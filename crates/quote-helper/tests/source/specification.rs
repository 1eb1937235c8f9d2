//! SPECIFICATION.md and SECURITY.md name tests that exist.

use std::path::Path;

use crate::files;

#[test]
fn named_tests_exist() {
    let mut missing = vec![];
    for page in ["SPECIFICATION.md", "SECURITY.md"] {
        let text = files::read(&files::repository().join(page));
        // Every second part is between backquotes.
        let quoted = text.split('`').skip(1).step_by(2);
        missing
            .extend(quoted.filter(|name| is_missing(name)).map(|name| format!("{page}: {name}")));
    }
    assert!(missing.is_empty(), "these tests do not exist:\n{}", missing.join("\n"));
}

/// True for `crate: test` without a file or directory of this name among the tests of the crate.
fn is_missing(name: &str) -> bool {
    let Some((package, test)) = name.split_once(": ") else {
        return false;
    };
    let package = files::crates().join(package);
    package.is_dir()
        && !["tests", "tests/suite"].iter().any(|directory| {
            let path = package.join(directory).join(test);
            path.exists() || Path::new(&format!("{}.rs", path.display())).exists()
        })
}
