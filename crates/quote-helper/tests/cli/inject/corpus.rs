//! Small files, each with what comes of it: `outcomes.txt` is the table, `WRITE_GOLDENS=1` writes
//! it anew. A line begins with `+` if it is added to the text, with `-` if it is taken away, with
//! `!` if it is on standard error.

use std::fs;
use std::path::{Path, PathBuf};

use similar::{ChangeTag, TextDiff};

use crate::support::Machine;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/inject")
}

/// The file, and what comes of it.
fn outcome(machine: &Machine, path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    let text = fs::read_to_string(path).unwrap();
    machine.write(name, &text);
    let ended = machine.run(&format!("inject -f {name} --epc-accounting devices"));
    let code = ended.code.unwrap();
    assert!(code == 0 || ended.stdout.is_empty(), "{name}: {}", ended.stdout);
    let mut outcome = format!("{name}: exit code {code}\n");
    let printed = if code == 0 { &ended.stdout } else { &text };
    for change in TextDiff::from_lines(&text, printed).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Insert => '+',
            ChangeTag::Delete => '-',
        };
        let line = change.value().trim_end_matches('\n');
        outcome += &format!("  {sign} {}\n", line.replace('\r', "\\r").replace('\t', "\\t"));
    }
    for line in ended.stderr.lines() {
        outcome += &format!("  ! {line}\n");
    }
    outcome
}

#[test]
fn each_file_has_its_outcome() {
    let machine = Machine::new();
    let files = fs::read_dir(directory().join("files")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 50, "{}", files.len());
    let outcomes: Vec<_> = files.iter().map(|path| outcome(&machine, path)).collect();
    let table = outcomes.join("\n");
    let golden = directory().join("outcomes.txt");
    if std::env::var_os("WRITE_GOLDENS").is_some() {
        fs::write(&golden, &table).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    let differences = TextDiff::from_lines(&expected, &table);
    assert!(expected == table, "{}", differences.unified_diff());
}
