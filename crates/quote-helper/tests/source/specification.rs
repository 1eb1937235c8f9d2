//! SPECIFICATION.md, SECURITY.md and ARCHITECTURE.md name tests and source files that exist.

use std::path::Path;

use crate::files;

#[test]
fn named_tests_exist() {
    assert_named(&["SPECIFICATION.md", "SECURITY.md"], is_missing);
}

#[test]
fn named_source_files_exist() {
    let sources: Vec<String> =
        files::rust_below(&files::crates()).iter().map(|file| files::name(file)).collect();
    assert_named(&["SECURITY.md", "ARCHITECTURE.md"], |name| {
        let is_path = name.contains('/') && name.ends_with(".rs") && !name.contains(' ');
        is_path && !sources.iter().any(|source| source.ends_with(name))
    });
}

/// Fails with the names in backquotes that `is_missing`.
fn assert_named(pages: &[&str], is_missing: impl Fn(&str) -> bool) {
    let mut missing = vec![];
    for page in pages {
        let text = files::read(&files::repository().join(page));
        // Every second part is between backquotes.
        let quoted = text.split('`').skip(1).step_by(2);
        missing
            .extend(quoted.filter(|name| is_missing(name)).map(|name| format!("{page}: {name}")));
    }
    assert!(missing.is_empty(), "these do not exist:\n{}", missing.join("\n"));
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
