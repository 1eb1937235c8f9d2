use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Command;

use super::page::{ENVIRONMENT, EXAMPLES, EXIT_STATUS, Entry, FILES, SEE_ALSO};
use super::*;
use crate::cli;

/// Each visible command with the name of its page.
fn commands() -> Vec<(String, Command)> {
    fn add(name: String, command: &Command, commands: &mut Vec<(String, Command)>) {
        for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let own = subcommand.get_name();
            let below = if name == program() { own.to_owned() } else { format!("{name} {own}") };
            add(below, subcommand, commands);
        }
        commands.push((name, command.clone()));
    }
    let mut commands = Vec::new();
    add(program().to_owned(), &cli::command(), &mut commands);
    commands
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn each_command_has_a_page_with_each_section_and_each_page_a_command() {
    let commands = commands();
    let names: BTreeSet<_> = commands.iter().map(|(name, _)| name.replace(' ', "-")).collect();
    assert_eq!(names, PAGES.iter().map(|(name, _)| (*name).to_owned()).collect());
    for (name, command) in &commands {
        let (_, text) = PAGES.iter().find(|(page, _)| *page == name.replace(' ', "-")).unwrap();
        // The heading of an empty section is there, and is not shown.
        for heading in [EXIT_STATUS, ENVIRONMENT, FILES, EXAMPLES, SEE_ALSO] {
            assert!(text.lines().any(|line| line == heading), "{name}: {heading}");
        }
        let page = page(name, command).unwrap();
        for heading in [EXIT_STATUS, EXAMPLES, SEE_ALSO] {
            assert!(!page.entries(heading).is_empty(), "{name}: {heading}");
        }
        let entries = page.sections.iter().filter(|section| section.heading != SEE_ALSO);
        for entry in entries.flat_map(|section| &section.entries) {
            assert!(!entry.words.is_empty() && !entry.term.is_empty(), "{name}: {entry:?}");
        }
    }
}

#[test]
fn exit_codes_are_the_ones_that_there_are() {
    for (name, command) in commands() {
        let page = page(&name, &command).unwrap();
        let codes = page.entries(EXIT_STATUS).iter().map(|code| code.term.parse::<u8>().unwrap());
        let codes: Vec<_> = codes.collect();
        assert!(codes.starts_with(&[0, 1, 2]), "{name}: {codes:?}");
        assert!(codes.is_sorted() && codes.iter().all(|code| *code <= 7), "{name}: {codes:?}");
    }
}

#[test]
fn each_example_is_a_command_line_of_today() {
    for (name, command) in commands() {
        let page = page(&name, &command).unwrap();
        let mut own = 0;
        for line in page.entries(EXAMPLES).iter().flat_map(|example| lines(&example.term)) {
            for words in invocations(&line) {
                own += usize::from(words.join(" ").starts_with(&invocation(&name)));
                if let Err(error) = cli::command().try_get_matches_from(&words) {
                    panic!("{name}: {line}: {error}");
                }
            }
        }
        assert!(own > 0, "{name}: no example is one of this command");
    }
}

/// The lines of an example, with continued ones joined.
fn lines(example: &str) -> Vec<String> {
    let joined = example.replace("\\\n", " ").replace("|\n", "| ");
    joined.lines().map(str::to_owned).collect()
}

/// The invocations of this program in a shell's line, without redirections.
fn invocations(line: &str) -> Vec<Vec<String>> {
    let parts = line.split(['|', '(', ')']);
    let words = parts.map(|part| part.split_whitespace().map(str::to_owned).collect());
    let calls = words.filter_map(|words: Vec<String>| {
        let start = words.iter().position(|word| word == program())?;
        let is_redirection = |word: &String| ["<", ">"].contains(&word.as_str());
        let end = words.iter().position(is_redirection).unwrap_or(words.len());
        Some(words[start..end].to_vec())
    });
    calls.collect()
}

fn invocation(name: &str) -> String {
    if name == program() { name.to_owned() } else { format!("{} {name}", program()) }
}

#[test]
fn each_variable_is_one_that_is_read() {
    let sources = sources(&repository().join("crates"));
    for (name, command) in commands() {
        let page = page(&name, &command).unwrap();
        for Entry { term, .. } in page.entries(ENVIRONMENT) {
            let setting = term.strip_prefix("QUOTE_HELPER_COLLATERAL_").unwrap_or(term);
            let read = [format!("\"{term}\""), format!("name(\"{setting}\")")];
            let by_helper = [format!("boolean(\"{setting}\")"), format!("path(\"{setting}\")")];
            let is_read = read.iter().chain(&by_helper).any(|read| sources.contains(read));
            let is_group = term.ends_with('*') && sources.contains(&term.replace('*', ""));
            assert!(is_read || is_group, "{name}: nothing reads {term}");
        }
    }
}

#[test]
fn each_reference_leads_somewhere() {
    let commands = commands();
    let names: Vec<_> = commands.iter().map(|(name, _)| name).collect();
    for (name, command) in &commands {
        for Entry { term, .. } in page(name, command).unwrap().entries(SEE_ALSO) {
            let is_document = term.starts_with("docs/") && repository().join(term).is_file();
            assert!(is_document || names.contains(&term), "{name}: {term}");
        }
    }
}

/// The code of the libraries and of the program, without tests.
fn sources(directory: &Path) -> String {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let text = |path: PathBuf| match path.extension() {
        _ if path.ends_with("tests") || path.ends_with("target") => String::new(),
        _ if path.is_dir() => sources(&path),
        Some(extension) if extension == "rs" => std::fs::read_to_string(&path).unwrap(),
        _ => String::new(),
    };
    entries.map(text).collect()
}
