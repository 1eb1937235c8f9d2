//! The result for one input, as text, JSON or YAML.

use std::fmt;

use serde::Serialize;
use sgx::Description;

use super::fields::Fields;
use crate::quote_inputs::InputName;

/// The version of the JSON form. Members are added without a new one; none is removed or changed.
const VERSION: u32 = 1;

/// A structure, its wrappings and its fields; or the reason that there is none.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Inspected {
    version: u32,
    /// The file, as on the command line.
    file: String,
    /// The line of the file, from 1; null for a whole file.
    line: Option<u64>,
    /// `file_unreadable` or `not_recognized`; null if the structure is shown.
    code: Option<&'static str>,
    /// The reason, for people; null if the structure is shown.
    reason: Option<String>,
    /// The kind of structure, such as `quote`; null if unknown.
    structure: Option<String>,
    /// Its wrappings; null if there are none.
    read_from: Option<String>,
    /// True if the quote is bound to the data that came with it; null without such data.
    bound: Option<bool>,
    /// The data, and the rule that binds it or the reason that it is not bound.
    bindings: Vec<String>,
    /// The encoding of byte strings.
    encoding: &'static str,
    fields: Option<Fields>,
    /// For people.
    #[serde(skip)]
    text: String,
}

/// A structure and its descriptions.
pub(super) struct Inspection {
    /// Its name, for people.
    pub(super) kind: &'static str,
    pub(super) read_from: Option<String>,
    pub(super) bound: Option<bool>,
    pub(super) bindings: Vec<String>,
    pub(super) encoding: &'static str,
    pub(super) description: Description,
    pub(super) fields: Fields,
}

impl Inspected {
    pub(super) fn new(name: InputName, content: Inspection) -> Self {
        let text = content.to_string();
        let Inspection { kind, read_from, bound, bindings, encoding, fields, .. } = content;
        Self {
            version: VERSION,
            file: name.file,
            line: name.line,
            code: None,
            reason: None,
            structure: Some(kind.to_lowercase().replace(' ', "_")),
            read_from,
            bound,
            bindings,
            encoding,
            fields: Some(fields),
            text,
        }
    }

    pub(super) fn of_error(name: InputName, code: &'static str, reason: String) -> Self {
        Self {
            version: VERSION,
            file: name.file,
            line: name.line,
            code: Some(code),
            reason: Some(reason),
            structure: None,
            read_from: None,
            bound: None,
            bindings: Vec::new(),
            encoding: "hex",
            fields: None,
            text: String::new(),
        }
    }

    /// The text in a batch, after the name of its input.
    pub(super) fn block(&self) -> String {
        let file = printable::line(&self.file);
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        match &self.reason {
            Some(reason) => format!("{file}{line}: ERROR: {}", printable::line(reason)),
            None => format!("{file}{line}: {}", self.text),
        }
    }
}

impl fmt::Display for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.kind)?;
        if let Some(origin) = &self.read_from {
            writeln!(f, "read from {origin}")?;
        }
        self.bindings.iter().try_for_each(|binding| writeln!(f, "{binding}"))?;
        writeln!(f, "{}", self.description)
    }
}
