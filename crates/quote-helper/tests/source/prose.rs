//! Text is easy to read: lines wrap, and comments name their subject first.

use std::path::{Path, PathBuf};

use crate::files;

/// The longest line of text, in characters.
const WIDTH: usize = 100;

/// First words that postpone the subject of a sentence.
const PRONOUNS: &[&str] =
    &["How", "What", "When", "Where", "Whether", "Which", "Who", "Whose", "Why"];

/// Directories of recorded and generated text.
const NOT_WRITTEN_HERE: &[&str] = &["fuzz/corpus/", "fuzz/seeds/", "crates/kubernetes/src/api/"];

#[test]
fn lines_wrap() {
    let mut long = vec![];
    for file in text_files(&["md", "rs", "sh", "py"]) {
        // The layout of Rust code is rustfmt's.
        let is_rust = file.extension().is_some_and(|extension| extension == "rs");
        let mut is_output = false;
        for (at, line) in lines(&file) {
            // Recorded output of commands, in Markdown.
            is_output = if line.starts_with("```") { line == "```text" } else { is_output };
            if !is_output && (!is_rust || comment(&line).is_some()) && is_too_long(&line) {
                long.push(at);
            }
        }
    }
    assert!(long.is_empty(), "longer than {WIDTH} characters:\n{}", long.join("\n"));
}

#[test]
fn comments_begin_with_their_subject() {
    let mut wrong = vec![];
    for file in text_files(&["rs", "sh", "toml"]) {
        let mut above: Option<String> = None;
        for (at, line) in lines(&file) {
            let comment = comment(&line);
            let begins = above.as_deref().unwrap_or_default().is_empty();
            if begins && comment.as_deref().is_some_and(begins_with_pronoun) {
                wrong.push(format!("{at}: {}", line.trim()));
            }
            above = comment;
        }
    }
    assert!(wrong.is_empty(), "begin with the subject instead:\n{}", wrong.join("\n"));
}

#[test]
fn tests_begin_with_their_subject() {
    let wrong: Vec<String> = text_files(&["rs"])
        .iter()
        .flat_map(|file| lines(file))
        .filter(|(_, line)| function(line).is_some_and(begins_with_pronoun))
        .map(|(at, line)| format!("{at}: {}", line.trim()))
        .collect();
    assert!(wrong.is_empty(), "name the subject first:\n{}", wrong.join("\n"));
}

/// The files that people of this project write, by extension; the justfile counts as a script.
fn text_files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut files = files::below(&files::repository());
    files.retain(|file| {
        let name = files::name(file);
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        let is_wanted =
            extensions.contains(&&*extension) || (name == "justfile" && extensions.contains(&"sh"));
        is_wanted && !NOT_WRITTEN_HERE.iter().any(|directory| name.starts_with(directory))
    });
    files
}

/// The lines of a file, each with its place.
fn lines(file: &Path) -> impl Iterator<Item = (String, String)> + use<> {
    let name = files::name(file);
    let text = files::read(file);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.into_iter().enumerate().map(move |(index, line)| (format!("{name}:{}", index + 1), line))
}

/// Rows of tables and unbreakable words, such as URLs and recorded values, cannot wrap.
fn is_too_long(line: &str) -> bool {
    let longest_word = line.split_whitespace().map(|word| word.chars().count()).max();
    line.chars().count() > WIDTH
        && !line.trim_start_matches(['/', '!', ' ']).starts_with('|')
        && longest_word.is_some_and(|longest| longest < WIDTH * 2 / 3)
}

/// The text of a line that is a comment.
fn comment(line: &str) -> Option<String> {
    let line = line.trim_start();
    let text = line.strip_prefix("//").or_else(|| line.strip_prefix("# "))?;
    Some(text.trim_start_matches(['/', '!']).trim().to_owned())
}

/// The name of a function that is defined in this line.
fn function(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("async ");
    line.strip_prefix("fn ")?.split('(').next()
}

fn begins_with_pronoun(text: &str) -> bool {
    let word = text.split([' ', '_', '\'']).next().unwrap_or_default();
    PRONOUNS.iter().any(|pronoun| pronoun.eq_ignore_ascii_case(word))
}
