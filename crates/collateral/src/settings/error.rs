//! Errors in settings.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::text_file::MAX_SIZE;

/// Settings cannot be read or understood. Messages hold no password and no query of a URL.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is not there, or may not be read.
    #[error("cannot read the settings in {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// It is too large.
    #[error(
        "{} is not a settings file: it has more than {} KiB",
        path.display(),
        MAX_SIZE / 1024
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is a directory, a device or a pipe.
    #[error("{} is not a settings file: it is not a regular file", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
    },
    /// It is not UTF-8, or has NUL bytes.
    #[error("{} is not a settings file: it is not UTF-8 text", path.display())]
    NoText {
        /// The file.
        path: PathBuf,
    },
    /// A value is invalid.
    #[error("{place}: {problem}")]
    Wrong {
        /// The place of the value.
        place: Place,
        /// The problem.
        problem: String,
    },
}

/// The place of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// From 1, if it is known.
        line: Option<usize>,
    },
    /// In an environment variable.
    Variable(String),
    /// In the command line.
    Flags,
}

impl SettingsError {
    pub(super) fn wrong(place: Place, problem: &str) -> Self {
        Self::Wrong { place, problem: redact_urls(problem) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => write!(f, "{}, line {line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::Flags => f.write_str("the command line"),
        }
    }
}

/// Removes user, password and query, which may hold a token, from each URL in the text. Parsers
/// quote their input in messages.
#[must_use]
pub fn redact_urls(text: &str) -> String {
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_whitespace() || "\"'`".contains(c));
        let (url, rest) = part.split_at(end.unwrap_or(part.len()));
        shown.extend(["://", &without_secrets(url), rest]);
    }
    shown
}

/// A URL behind its scheme.
fn without_secrets(url: &str) -> String {
    let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    let shown = match authority.rfind('@') {
        Some(at) => format!("…{}{path}", authority.split_at(at).1),
        None => url.to_owned(),
    };
    match shown.find(['?', '#']) {
        Some(at) => format!("{}?…", shown.split_at(at).0),
        None => shown,
    }
}
