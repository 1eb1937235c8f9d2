use std::path::Path;
use std::process::Command;

use super::{CPrograms, succeeded};

/// The options and languages of each compiler; only gcc has to be there to build and test.
const COMPILERS: [(&str, &str, [&str; 3]); 4] = [
    ("gcc", "c", ["c99", "c11", "c17"]),
    ("g++", "c++", ["c++11", "c++17", "c++20"]),
    ("clang", "c", ["c99", "c11", "c17"]),
    ("clang++", "c++", ["c++11", "c++17", "c++20"]),
];

impl CPrograms {
    /// Asserts that each compiler accepts the source without a warning, in each language, with
    /// further directories of headers.
    pub fn compilers_accept(&self, source: &Path, headers: &[&Path]) {
        for (compiler, language, standards) in COMPILERS {
            if compiler != "gcc" && Command::new(compiler).arg("--version").output().is_err() {
                continue;
            }
            for standard in standards {
                let mut command = self.gcc(compiler);
                command.args(["-Wpedantic", "-fsyntax-only", "-x", language]);
                command.arg(format!("-std={standard}")).arg(source);
                for directory in headers {
                    command.arg("-I").arg(directory);
                }
                succeeded(&mut command);
            }
        }
    }
}
