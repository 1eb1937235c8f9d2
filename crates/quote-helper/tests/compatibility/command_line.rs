//! Command lines of earlier releases stay valid: commands, options, values, variables, exit codes,
//! as `--help` lists them.

use std::collections::BTreeSet;

use test_support::release::keeps_lines;

use crate::support::Machine;

/// Commands that `--help` does not list, and that objects of the add-on name.
const HIDDEN: [&str; 2] = ["chown", "startup-probe"];

#[test]
fn command_lines_of_earlier_releases_stay() {
    let mut lines = BTreeSet::new();
    for command in HIDDEN.into_iter().chain([""]) {
        describe(command, &mut lines);
    }
    assert!(lines.len() > 400, "{lines:#?}");
    keeps_lines("command-line.txt", &lines);
}

/// Adds the lines of a command and of those below it.
fn describe(command: &str, lines: &mut BTreeSet<String>) {
    let help = Machine::new().succeed(&format!("{command} --help")).stdout;
    let name = format!("quote-helper {command}");
    let name = name.trim();
    let (mut heading, mut option, mut subcommands) = ("", String::new(), vec![]);
    for line in help.lines() {
        if let Some(usage) = line.strip_prefix("Usage: ") {
            lines.insert(format!("{name}: requires {}", required(usage)));
            continue;
        }
        if !line.starts_with(' ') {
            heading = line;
            continue;
        }
        let facts: Vec<String> = match heading {
            "Commands:" => {
                subcommands.extend(entry(line));
                vec![]
            }
            "Exit status:" => {
                entry(line).map(|it| format!("exits with {it}")).into_iter().collect()
            }
            "Environment:" => entry(line).map(|it| format!("reads {it}")).into_iter().collect(),
            "Files:" | "Examples:" | "See also:" => vec![],
            _ => of_option(line, &mut option),
        };
        lines.extend(facts.into_iter().map(|fact| format!("{name}: {fact}")));
    }
    for below in subcommands.into_iter().filter(|below| *below != "help") {
        describe(format!("{command} {below}").trim(), lines);
    }
}

/// The first word of a line that is indented by two spaces.
fn entry(line: &str) -> Option<&str> {
    line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next()
}

/// The words of a usage that are not optional, without names of values.
fn required(usage: &str) -> String {
    let words = usage.split(' ').skip(1).filter(|word| !word.starts_with('['));
    let name =
        |word: &str| if word.starts_with('<') { "VALUE".to_owned() } else { word.to_owned() };
    words.map(name).collect::<Vec<_>>().join(" ")
}

/// The forms of an option or argument, which becomes the current one; or values of the current one.
fn of_option(line: &str, current: &mut String) -> Vec<String> {
    let line = line.trim_start();
    let accepts = |value: &str| format!("{current} accepts {}", value.trim());
    if let Some(value) = line.strip_prefix("- ") {
        return value.split(':').take(1).map(accepts).collect();
    }
    if let Some((_, values)) = line.split_once("[possible values: ") {
        return values.trim_end_matches(']').split(',').map(accepts).collect();
    }
    let form = line.split("  ").next().unwrap_or_default();
    let is_argument = form.starts_with(['<', '[']) && form.ends_with(['>', ']', '.']);
    if !form.starts_with('-') && (!is_argument || form.contains(':')) {
        return vec![];
    }
    let takes = match (form.contains("[<"), form.contains('<')) {
        (true, _) => "may have a value",
        (false, true) => "has a value",
        _ => "has no value",
    };
    let words = form.split([' ', ',', '[', '=']);
    let names: Vec<&str> = match is_argument {
        true => vec!["VALUE"],
        false => words.filter(|word| word.starts_with('-')).collect(),
    };
    *current = names.last().copied().unwrap_or_default().to_owned();
    names.iter().map(|name| format!("{name} {takes}")).collect()
}
