//! Untrusted text, escaped for terminals and log lines; errors in JSON, and dates.
//!
//! File names, messages of servers, labels of metrics and names in certificates may contain line
//! feeds, escape sequences and marks that turn the direction of writing, which move what is read
//! away from what is there. They are escaped as in JSON, `\n` or `\u202e`, so that JSON stays what
//! it was. Backslashes stay as they are: the result is to be read, not to be turned back.

mod dates;
mod json;

use std::borrow::Cow;
use std::fmt::Write;

pub use dates::{date, rfc3339};
pub use json::json_error;

/// Maximum length of a [`line()`], in characters.
pub const LONGEST_LINE: usize = 4_096;

/// Escapes a text for one line: it neither ends the line nor controls a terminal. Above
/// [`LONGEST_LINE`] characters the rest is replaced by `…`.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    beginning(text, LONGEST_LINE)
}

/// Escapes the first `max` characters of a text for one line. `…` replaces the rest.
#[must_use]
pub fn beginning(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        None => escape(text, is_unprintable),
        Some((end, _)) => {
            let kept = text.get(..end).unwrap_or_default();
            Cow::Owned(format!("{}…", escape(kept, is_unprintable)))
        }
    }
}

/// Escapes a text of several lines: line feeds stay, nothing else controls a terminal.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |character| character != '\n' && is_unprintable(character))
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if !is_escaped(character) => escaped.push(character),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            _ => escape_units(character, &mut escaped),
        }
    }
    Cow::Owned(escaped)
}

fn escape_units(character: char, escaped: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // A String takes everything.
        let _ = write!(escaped, "\\u{unit:04x}");
    }
}

/// Control characters, separators of lines and paragraphs, and what is invisible: marks and
/// overrides of direction, characters without width, byte order marks, annotations and tags.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\x1b[31m\r\nb\u{9b}2J\tc\u{202e}d\u{2028}\u{7f}\0\u{e0041}é";

    #[test]
    fn a_line_stays_one_and_controls_nothing() {
        let shown = "a\\u001b[31m\\r\\nb\\u009b2J\\tc\\u202ed\\u2028\\u007f\\u0000\\udb40\\udc41é";
        assert_eq!(line(HOSTILE), shown);
    }

    #[test]
    fn lines_keep_their_ends() {
        let shown = "a\\u001b[31m\\r\nb\\u009b2J\\tc\\u202ed\\u2028\\u007f\\u0000\\udb40\\udc41é";
        assert_eq!(lines(HOSTILE), shown);
    }

    #[test]
    fn printable_text_stays_as_it_is() {
        let text = "C:\\new \"é\" – 日本語 עברית \u{1f469}\u{200d}\u{1f4bb}";
        assert!(matches!(line(text), Cow::Borrowed(shown) if shown == text));
    }

    #[test]
    fn a_line_has_an_end() {
        let long = "é".repeat(LONGEST_LINE);
        assert_eq!(line(&long), long);
        assert_eq!(line(&format!("{long}x")), format!("{long}…"));
        assert_eq!(lines(&format!("{long}x")), format!("{long}x"));
    }

    #[test]
    fn json_stays_what_it_was() {
        let json = serde_json::to_string_pretty(&[HOSTILE]).unwrap();
        let shown = lines(&json);
        assert!(shown.chars().all(|character| character == '\n' || !is_unprintable(character)));
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [HOSTILE]);
    }
}
