//! The headers, for sources that were written for ours and for Intel's.

use std::fs;
use std::path::{Path, PathBuf};
use test_support::c_programs::{Build, succeeded};

use crate::PROGRAMS;
use crate::machine::{Machine, Mode};

/// The directory with the headers of Intel's names.
fn intel_names() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../libsgx-quote-ex/include/intel-names")
}

#[test]
fn they_are_for_c_and_cpp_and_cause_no_warning() {
    PROGRAMS.compilers_accept(&PROGRAMS.source("layouts.c"), &[]);
}

#[test]
fn sources_that_include_intels_names_compile_and_run() {
    let directory = intel_names();
    PROGRAMS.compilers_accept(&PROGRAMS.source("intel_names.c"), &[&directory]);

    let program = PROGRAMS.compile_with("intel_names", Build::Plain, &[&directory]);
    let machine = Machine::new();
    assert_eq!(succeeded(&mut machine.command(&program, Mode::InProcess)), "0 0\n");
}

#[test]
fn each_header_of_intels_names_can_be_the_first_and_the_only_one() {
    let directory = intel_names();
    let sources = tempfile::tempdir().unwrap();
    let mut names: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 11, "{names:?}");
    for name in &names {
        let source = sources.path().join("source.c");
        fs::write(&source, format!("#include \"{name}\"\nint main(void) {{ return 0; }}\n"))
            .unwrap();
        PROGRAMS.compilers_accept(&source, &[&directory]);
    }
}
