//! Cargo.toml has the version of this tree; text that repeats it has the same.

use std::path::PathBuf;

use crate::files;

/// Names of images, as text that people copy has them before the version.
const IMAGES: &[&str] = &["sgx-quote-helper:", "sgx-quote-helper-sgx:", "sgx-remote-attestation:"];

/// Pages about other versions.
const ABOUT_OTHERS: &[&str] = &["CHANGELOG.md", "docs/compatibility.md"];

#[test]
fn images_have_the_version_of_this_tree() {
    let mut wrong = vec![];
    for file in copied_files() {
        for line in files::read(&file).lines() {
            let others = IMAGES.iter().flat_map(|image| versions(line, image));
            let others = others.filter(|version| *version != env!("CARGO_PKG_VERSION"));
            wrong.extend(others.map(|version| format!("{}: {version}", files::name(&file))));
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    assert!(wrong.is_empty(), "other versions than {version}:\n{}", wrong.join("\n"));
}

#[test]
fn lock_files_have_the_version_of_this_tree() {
    for name in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let lock = files::read(&files::repository().join(name));
        let entry = format!("name = \"sgx\"\nversion = \"{}\"\n", env!("CARGO_PKG_VERSION"));
        assert!(lock.contains(&entry), "{name} has another version: run cargo metadata there");
    }
}

#[test]
fn the_chart_has_the_version_of_this_tree() {
    let chart = files::repository().join("deploy/chart/sgx-quote-helper/Chart.yaml");
    let chart = files::read(&chart);
    for field in ["version", "appVersion"] {
        let line = format!("\n{field}: {}\n", env!("CARGO_PKG_VERSION"));
        assert!(chart.contains(&line), "{field}:\n{chart}");
    }
}

#[test]
fn changelog_has_the_release_before() {
    let record = files::read(&files::repository().join("tools/previous-release"));
    let (version, _) = record.split_once(' ').expect("a version and a commit");
    let changelog = files::read(&files::repository().join("CHANGELOG.md"));
    let mut sections = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    let first = sections.next().expect("a section");
    let is_own = first.starts_with(&format!("{}, ", env!("CARGO_PKG_VERSION")));
    assert!(first == "Unreleased" || is_own, "the first section is {first}");
    let second = sections.next().expect("two sections");
    assert!(second.starts_with(&format!("{version}, ")), "the section before is {second}");
}

/// Files with commands and YAML that people copy.
fn copied_files() -> Vec<PathBuf> {
    let mut all = files::below(&files::repository());
    all.retain(|file| {
        let name = files::name(file);
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        ["md", "yaml"].contains(&&*extension)
            && !name.starts_with("crates/")
            && !ABOUT_OTHERS.contains(&name.as_str())
    });
    all
}

/// The versions that follow the name of an image in a line.
fn versions<'a>(line: &'a str, image: &'a str) -> impl Iterator<Item = &'a str> {
    let ends_version = |at: char| !(at.is_ascii_alphanumeric() || at == '.' || at == '-');
    let after = line.split(image).skip(1);
    let versions = after.map(move |rest| rest.split(ends_version).next().unwrap_or_default());
    versions.filter(|version| version.starts_with(|first: char| first.is_ascii_digit()))
}
