//! C programs that were compiled for an earlier release: functions, structures, numbers.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use test_support::release::{keeps_lines, repository};
use test_support::shared_object::{Profile, shared_object};
use test_support::succeeded;

use crate::debug_info::DebugInfo;

const LIBRARIES: [&str; 4] =
    ["libsgx-quote-ex", "libsgx-dcap-ql", "libdcap-quoteprov", "libsgx-dcap-quoteverify"];

#[test]
fn functions_of_libraries_of_earlier_releases_stay() {
    let mut lines = BTreeSet::new();
    for package in LIBRARIES {
        let file = shared_object(package, Profile::Dev);
        let elf = |what| {
            let mut readelf = Command::new("readelf");
            succeeded(readelf.args(["--wide", what]).arg(&file).env("LC_ALL", "C"))
        };
        let dynamic = elf("--dynamic");
        let name = dynamic.lines().find(|line| line.contains("(SONAME)"));
        let name = name.unwrap().split(['[', ']']).nth(1).unwrap();
        let exported = elf("--dyn-syms").lines().filter_map(exported).collect::<Vec<_>>();
        lines.extend(exported.into_iter().map(|symbol| format!("{name} exports {symbol}")));
    }
    keeps_lines("symbols.txt", &lines);
}

/// Kind and name, with the version if there is one, of a symbol for others in a line of readelf.
fn exported(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, _, _, kind, binding, _, section, name] = fields[..] else { return None };
    let is_defined = section.parse::<u32>().is_ok();
    (is_defined && binding != "LOCAL").then(|| format!("{kind} {name}"))
}

#[test]
fn headers_of_earlier_releases_stay() {
    let headers = Headers::new();
    let mut lines: BTreeSet<String> =
        headers.names.iter().map(|name| format!("header {name}")).collect();
    lines.extend(headers.functions());
    lines.extend(headers.macros());
    lines.extend(headers.debug_info().lines());
    assert!(lines.len() > 300, "{lines:#?}");
    keeps_lines("headers.txt", &lines);
}

/// All headers, included in one source.
struct Headers {
    directory: tempfile::TempDir,
    names: Vec<String>,
}

impl Headers {
    fn new() -> Self {
        let mut names = vec![];
        for directory in Self::directories() {
            let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
            let headers = entries.filter(|path| path.extension().is_some_and(|it| it == "h"));
            names.extend(headers.map(|it| it.file_name().unwrap().to_str().unwrap().to_owned()));
        }
        names.sort();
        let directory = tempfile::tempdir().unwrap();
        let includes: String = names.iter().map(|name| format!("#include <{name}>\n")).collect();
        fs::write(directory.path().join("headers.c"), includes).unwrap();
        fs::write(directory.path().join("empty.c"), "#include <stddef.h>\n#include <stdint.h>\n")
            .unwrap();
        Self { directory, names }
    }

    fn directories() -> Vec<PathBuf> {
        let crates = repository().join("crates");
        let mut directories: Vec<_> =
            LIBRARIES.iter().map(|package| crates.join(package).join("include")).collect();
        directories.push(crates.join("libsgx-quote-ex/include/intel-names"));
        directories
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn gcc(&self, source: &str, arguments: &[&str]) -> String {
        let mut gcc = Command::new("gcc");
        for directory in Self::directories() {
            gcc.arg("-I").arg(directory);
        }
        succeeded(gcc.args(arguments).arg(source).current_dir(&self.directory))
    }

    /// The prototypes.
    fn functions(&self) -> Vec<String> {
        self.gcc("headers.c", &["-fsyntax-only", "-aux-info", "prototypes"]);
        let text = fs::read_to_string(self.path("prototypes")).unwrap();
        let prototypes = text.lines().filter_map(|line| line.split_once("*/ extern "));
        prototypes.map(|(_, prototype)| format!("function {prototype}")).collect()
    }

    /// The numbers that are macros.
    fn macros(&self) -> Vec<String> {
        let [all, of_libc] = ["headers.c", "empty.c"].map(|it| self.gcc(it, &["-E", "-dM"]));
        let of_libc: BTreeSet<&str> = of_libc.lines().collect();
        let ours = all.lines().filter(|line| !of_libc.contains(line));
        // Include guards have no value.
        let valued = ours.filter(|line| !line.ends_with(' '));
        valued.map(str::to_owned).collect()
    }

    fn debug_info(&self) -> DebugInfo {
        self.gcc("headers.c", &["-g", "-gdwarf-4", "-fno-eliminate-unused-debug-types", "-c"]);
        DebugInfo::read(&self.path("headers.o"))
    }
}
