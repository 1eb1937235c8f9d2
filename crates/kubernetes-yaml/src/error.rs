//! Errors of parsing and editing.

/// A text that cannot be parsed. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not YAML.
    #[error("line {line}: {problem}")]
    Syntax {
        /// The line.
        line: usize,
        /// The parser's message.
        problem: String,
    },
    /// A mapping has a key twice, of which kubectl would take the last.
    #[error("line {line}: duplicate key {key:?}; leave out one of the two")]
    DuplicateKey {
        /// The line of the second.
        line: usize,
        /// The key.
        key: String,
    },
    /// It has no JSON form, so that kubectl refuses it.
    #[error("line {line}: {what}")]
    NotJson {
        /// The line.
        line: usize,
        /// The problem and its fix.
        what: &'static str,
    },
    /// There are too many nodes.
    #[error("it has more than {0} nodes")]
    TooLarge(usize),
    /// Aliases add too many nodes.
    #[error("its aliases add more than {0} nodes")]
    AliasesTooLarge(usize),
    /// Nodes are nested too deeply, or an alias contains itself.
    #[error("its nodes are nested more than {0} deep")]
    TooDeep(usize),
}

/// A text that cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A document cannot be changed in place.
    #[error(
        "the document at line {line} cannot be changed in place, for instance because an anchor or \
         a merge key shares a part of it; write that part out, or convert to JSON"
    )]
    NotInPlace {
        /// The line at which the document begins, counted from 1.
        line: usize,
    },
    /// The result exceeds a limit.
    #[error("with the additions, {0}")]
    TooLarge(#[source] ReadError),
}
