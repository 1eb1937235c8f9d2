//! All compilers and standards that the headers are for.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::program::{gcc, succeeded};

/// The options and languages of each compiler; only gcc has to be there to build and test.
const COMPILERS: [(&str, &str, [&str; 3]); 4] = [
    ("gcc", "c", ["c99", "c11", "c17"]),
    ("g++", "c++", ["c++11", "c++17", "c++20"]),
    ("clang", "c", ["c99", "c11", "c17"]),
    ("clang++", "c++", ["c++11", "c++17", "c++20"]),
];

/// Each compiler takes the source without a warning, in each language.
pub(crate) fn accept(arguments: &[&OsStr], source: &Path) {
    for (compiler, language, standards) in COMPILERS {
        if compiler != "gcc" && Command::new(compiler).arg("--version").output().is_err() {
            continue;
        }
        for standard in standards {
            let mut command = gcc(compiler);
            command.args(["-Wpedantic", "-fsyntax-only", "-x", language]);
            succeeded(command.arg(format!("-std={standard}")).args(arguments).arg(source));
        }
    }
}
