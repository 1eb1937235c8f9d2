//! The text of a page: headings with entries.

use clap::Command;

pub(crate) const EXIT_STATUS: &str = "EXIT STATUS";
pub(crate) const ENVIRONMENT: &str = "ENVIRONMENT";
pub(crate) const FILES: &str = "FILES";
pub(crate) const EXAMPLES: &str = "EXAMPLES";
pub(crate) const SEE_ALSO: &str = "SEE ALSO";

const HEADINGS: [&str; 5] = [EXIT_STATUS, ENVIRONMENT, FILES, EXAMPLES, SEE_ALSO];

/// The sections of a command's help after its options.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) sections: Vec<Section>,
}

/// A heading and what is below it.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) heading: &'static str,
    pub(crate) entries: Vec<Entry>,
}

/// An exit code, a variable, a file, an example or a reference.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    /// The subject: for an example the command lines.
    pub(crate) term: String,
    /// The explanation.
    pub(crate) words: String,
}

impl Page {
    /// Reads a text: `TERM  words` with further lines indented; in EXAMPLES words with the command
    /// lines indented below them.
    pub(crate) fn parse(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            if let Some(heading) = HEADINGS.into_iter().find(|heading| *heading == line) {
                page.sections.push(Section { heading, entries: Vec::new() });
            } else if let Some(section) = page.sections.last_mut() {
                section.add(line);
            }
        }
        page
    }

    /// The page with the exit codes of all commands, shared words for terms without own ones, and
    /// the variables of the command's options.
    pub(crate) fn completed(&self, shared: &Self, command: &Command) -> Self {
        let sections = HEADINGS.into_iter().map(|heading| {
            let own = self.entries(heading);
            let shared = shared.entries(heading);
            let entries = match heading {
                EXIT_STATUS => exit_codes(own, shared),
                ENVIRONMENT => [variables(command), with_words(own, shared)].concat(),
                _ => with_words(own, shared),
            };
            Section { heading, entries }
        });
        Self { sections: sections.filter(|section| !section.entries.is_empty()).collect() }
    }

    pub(crate) fn entries(&self, heading: &str) -> &[Entry] {
        let section = self.sections.iter().find(|section| section.heading == heading);
        section.map_or(&[], |section| &section.entries)
    }
}

impl Section {
    fn add(&mut self, line: &str) {
        let is_example = self.heading == EXAMPLES;
        match (line.strip_prefix("  "), self.entries.last_mut()) {
            (Some(line), Some(example)) if is_example => append(&mut example.term, '\n', line),
            (Some(line), Some(entry)) => append(&mut entry.words, ' ', line.trim()),
            _ if is_example => {
                self.entries.push(Entry { words: line.to_owned(), ..Entry::default() });
            }
            _ => {
                let (term, words) = line.split_once("  ").unwrap_or((line, ""));
                self.entries.push(Entry { term: term.to_owned(), words: words.trim().to_owned() });
            }
        }
    }
}

fn append(text: &mut String, separator: char, line: &str) {
    if !text.is_empty() {
        text.push(separator);
    }
    text.push_str(line);
}

/// The shared exit codes, unless the command describes them itself, and the command's own.
fn exit_codes(own: &[Entry], shared: &[Entry]) -> Vec<Entry> {
    let is_own = |entry: &&Entry| own.iter().any(|own| own.term == entry.term);
    let mut codes: Vec<_> = shared.iter().filter(|code| !is_own(code)).chain(own).collect();
    codes.sort_by_key(|code| &code.term);
    codes.into_iter().cloned().collect()
}

/// Each entry with words; a term that ends with `*` stands for all shared ones with that prefix.
fn with_words(own: &[Entry], shared: &[Entry]) -> Vec<Entry> {
    let expand = |entry: &Entry| match entry.term.strip_suffix('*') {
        Some(prefix) => {
            shared.iter().filter(|entry| entry.term.starts_with(prefix)).cloned().collect()
        }
        None if entry.words.is_empty() => {
            let found = shared.iter().find(|shared| shared.term == entry.term);
            vec![found.unwrap_or(entry).clone()]
        }
        None => vec![entry.clone()],
    };
    own.iter().flat_map(expand).collect()
}

fn variables(command: &Command) -> Vec<Entry> {
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let entry = |argument: &clap::Arg| {
        let term = argument.get_env()?.to_string_lossy().into_owned();
        Some(Entry { term, words: format!("stands for --{}", argument.get_long()?) })
    };
    arguments.filter_map(entry).collect()
}
