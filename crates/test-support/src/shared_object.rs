//! The file of a C library, as the linker and the dynamic loader see it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::succeeded;

/// The profile of cargo that a library is built with.
#[derive(Debug, Clone, Copy)]
pub enum Profile {
    /// Quick to build.
    Dev,
    /// As shipped.
    Bench,
}

/// The shared object of a package of this workspace, built now if it is not there.
pub fn shared_object(package: &str, profile: Profile) -> PathBuf {
    let profile = match profile {
        Profile::Dev => "dev",
        Profile::Bench => "bench",
    };
    let built = succeeded(
        Command::new(env!("CARGO"))
            .args(["build", "--offline", "--message-format", "json"])
            .args(["--profile", profile, "--package", package])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    );
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

/// Asserts what a C program relies on before it calls a function: the library's name, that it needs
/// no library but libc, and that it exports `functions` and nothing else.
pub fn is_as_promised(package: &str, functions: &[&str]) {
    let file = shared_object(package, Profile::Dev);
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
    let symbols: Vec<_> = symbols.lines().filter_map(Symbol::parse).collect();
    let exported = symbols.iter().filter(|symbol| symbol.is_exported()).map(|symbol| symbol.name);
    assert_eq!(exported.collect::<BTreeSet<_>>(), functions.iter().copied().collect());
    // gcc's own tools are optional.
    let of_gcc = ["__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable"];
    let hooks = symbols.iter().filter(|symbol| symbol.is_hook()).map(|symbol| symbol.name);
    let hooks: Vec<&str> = hooks.filter(|name| !of_gcc.contains(name)).collect();
    assert!(hooks.is_empty(), "a program that defines {hooks:?} has them called by the library");
}

/// A line of the table of dynamic symbols.
struct Symbol<'a> {
    binding: &'a str,
    section: &'a str,
    name: &'a str,
}

impl<'a> Symbol<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, _kind, binding, _visibility, section, name] = fields[..] else { return None };
        Some(Self { binding, section, name })
    }

    /// Defined here, for others.
    fn is_exported(&self) -> bool {
        self.section.parse::<u32>().is_ok() && self.binding != "LOCAL"
    }

    /// Used here if another part of the program defines it. Symbols of libc have a version.
    fn is_hook(&self) -> bool {
        self.section == "UND" && self.binding == "WEAK" && !self.name.contains('@')
    }
}

fn read_elf(file: &Path, what: &str) -> String {
    succeeded(Command::new("readelf").args(["--wide", what]).arg(file).env("LC_ALL", "C"))
}
