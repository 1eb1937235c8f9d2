//! Renders a page as the end of `--help`, and as a part of a manual page.

use clap::builder::Styles;
use clap_mangen::roff::{Roff, bold, italic, roman};
use textwrap::Options;

use super::page::{EXAMPLES, EXIT_STATUS, Entry, Page, SEE_ALSO, Section};

/// The width of the help, in columns.
const WIDTH: usize = 80;

/// The sections as text with the headings of the rest of the help.
pub(super) fn help(page: &Page, styles: &Styles) -> String {
    let style = styles.get_header();
    let sections = page.sections.iter().map(|section| {
        let heading = title(section.heading);
        format!("{style}{heading}:{style:#}\n{}", body(section))
    });
    sections.collect::<Vec<_>>().join("\n\n")
}

/// `EXIT STATUS` as `Exit status`.
fn title(heading: &str) -> String {
    let (first, rest) = heading.split_at(1);
    format!("{first}{}", rest.to_lowercase())
}

fn body(section: &Section) -> String {
    let entries = section.entries.iter();
    match section.heading {
        SEE_ALSO => {
            let terms: Vec<_> = entries.map(|entry| reference(&entry.term)).collect();
            fill(&terms.join(", "), "  ", "  ")
        }
        EXAMPLES => {
            let example = |words: &str, lines: &str| {
                format!("{}\n{}", fill(words, "  ", "  "), textwrap::indent(lines, "    "))
            };
            entries.map(|entry| example(&entry.words, &entry.term)).collect::<Vec<_>>().join("\n")
        }
        EXIT_STATUS => {
            let code = |entry: &Entry| fill(&entry.words, &format!("  {}  ", entry.term), "     ");
            entries.map(code).collect::<Vec<_>>().join("\n")
        }
        _ => {
            let entry = |entry: &Entry| {
                format!("  {}\n{}", entry.term, fill(&entry.words, "      ", "      "))
            };
            entries.map(entry).collect::<Vec<_>>().join("\n")
        }
    }
}

fn fill(text: &str, first: &str, further: &str) -> String {
    textwrap::fill(text, Options::new(WIDTH).initial_indent(first).subsequent_indent(further))
}

/// A command by its name, or a page of the documentation.
fn reference(term: &str) -> String {
    match term.starts_with("docs/") {
        true => term.to_owned(),
        false => format!("quote-helper {term}").trim_end_matches(" quote-helper").to_owned(),
    }
}

pub(crate) fn roff(page: &Page) -> Roff {
    let mut roff = Roff::new();
    for section in &page.sections {
        roff.control("SH", [section.heading]);
        match section.heading {
            SEE_ALSO => see_also(&mut roff, section),
            EXAMPLES => examples(&mut roff, section),
            _ => {
                for entry in &section.entries {
                    roff.control("TP", []);
                    roff.text([bold(&entry.term)]).text([roman(&entry.words)]);
                }
            }
        }
    }
    roff
}

fn examples(roff: &mut Roff, section: &Section) {
    for entry in &section.entries {
        roff.control("PP", []).text([roman(&entry.words)]);
        roff.control("RS", ["4"]).control("nf", []);
        for line in entry.term.lines() {
            roff.text([bold(line)]);
        }
        roff.control("fi", []).control("RE", []);
    }
}

fn see_also(roff: &mut Roff, section: &Section) {
    let last = section.entries.len();
    for (number, entry) in (1..).zip(&section.entries) {
        let end = if number == last { "" } else { "," };
        match entry.term.starts_with("docs/") {
            true => roff.text([italic(&entry.term), roman(end)]),
            false => {
                let page = reference(&entry.term).replace(' ', "-");
                roff.text([bold(page), roman(format!("(1){end}"))])
            }
        };
    }
}
