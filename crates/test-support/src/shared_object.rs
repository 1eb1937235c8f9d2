//! The library's file, as the linker and the dynamic loader see it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The shared object of a package of this workspace, built now if it is not there.
pub fn shared_object(package: &str) -> PathBuf {
    let built = run(Command::new(env!("CARGO"))
        .args(["build", "--offline", "--message-format", "json", "--package", package])
        .current_dir(env!("CARGO_MANIFEST_DIR")));
    let messages = built.lines().filter_map(|line| serde_json::from_str(line).ok());
    let manifest = format!("/{package}/Cargo.toml");
    let mut files = messages.flat_map(|message: serde_json::Value| {
        let ours = message["manifest_path"].as_str().is_some_and(|path| path.ends_with(&manifest));
        let cdylib = message["target"]["crate_types"][0] == "cdylib";
        let files = message["filenames"].as_array().filter(|_| ours && cdylib).cloned();
        files.unwrap_or_default()
    });
    files.next().expect("a cdylib").as_str().unwrap().into()
}

/// What a C program relies on before it calls a function: the library's name, that it asks for no
/// library but libc, and that it exports its functions and nothing else.
pub fn is_as_promised(package: &str, functions: &[&str]) {
    let file = shared_object(package);
    let dynamic = read_elf(&file, "--dynamic");
    let values = |tag: &str| -> BTreeSet<&str> {
        let lines = dynamic.lines().filter(|line| line.contains(tag));
        lines.map(|line| line.split(['[', ']']).nth(1).unwrap()).collect()
    };
    assert_eq!(values("(SONAME)"), [&*format!("{}.so.1", package.replace('-', "_"))].into());
    // Before glibc 2.34 libc had more than one file. The loader itself is no library to install.
    let of_libc = ["libc.so.6", "ld-linux-x86-64.so.2", "libpthread.so.0", "libdl.so.2"];
    let needed = values("(NEEDED)");
    assert!(needed.is_subset(&of_libc.into()), "needs {needed:?}");
    assert!(dynamic.contains("NODELETE"), "unloaded by dlclose, under threads that have quoted");

    let symbols = read_elf(&file, "--dyn-syms");
    let exported: BTreeSet<&str> = symbols.lines().filter_map(exported).collect();
    assert_eq!(exported, functions.iter().copied().collect());
    // Tools of gcc may be there or not; what they are is no secret.
    let of_gcc = ["__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable"];
    let hooks = symbols.lines().filter_map(hook).filter(|name| !of_gcc.contains(name));
    let hooks: Vec<&str> = hooks.collect();
    assert!(hooks.is_empty(), "a program that defines {hooks:?} has them called by the library");
}

/// The name in a line of the symbol table, if it is one for others to use.
fn exported(line: &str) -> Option<&str> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, _, _, _kind, binding, _visibility, section, name] = fields[..] else { return None };
    let defined = section.parse::<u32>().is_ok();
    (defined && binding != "LOCAL").then_some(name)
}

/// The name in a line of the symbol table, if the library uses it where some other part of the program defines it. What
/// is libc's has a version.
fn hook(line: &str) -> Option<&str> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, _, _, _kind, binding, _visibility, section, name] = fields[..] else { return None };
    (section == "UND" && binding == "WEAK" && !name.contains('@')).then_some(name)
}

fn read_elf(file: &Path, what: &str) -> String {
    run(Command::new("readelf").args(["--wide", what]).arg(file).env("LC_ALL", "C"))
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}
