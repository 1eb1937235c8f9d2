//! The files of the repository.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// The directory of the crates.
pub(crate) fn crates() -> PathBuf {
    repository().join("crates")
}

/// The files below the directory, without build output and hidden files.
pub(crate) fn below(directory: &Path) -> Vec<PathBuf> {
    entries(directory)
        .into_iter()
        .flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] })
        .collect()
}

/// The files of Rust code below the directory.
pub(crate) fn rust_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = below(directory);
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files
}

/// The path from the root of the repository.
pub(crate) fn name(file: &Path) -> String {
    file.strip_prefix(repository()).unwrap_or(file).display().to_string()
}

/// The path from the directory of the crates.
pub(crate) fn name_in_crates(file: &Path) -> String {
    name(file).trim_start_matches("crates/").to_owned()
}

/// The text of a file.
pub(crate) fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The entries of a directory, in order.
pub(crate) fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("a directory that can be read")
        .map(|entry| entry.expect("an entry that can be read").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name != "target" && !name.starts_with('.')
        })
        .collect();
    entries.sort();
    entries
}
