//! Why a text is not read, or not edited.

/// Why a text is not read. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not YAML.
    #[error("line {line}: {problem}")]
    Syntax {
        /// Where.
        line: usize,
        /// The parser's words.
        problem: String,
    },
    /// A mapping has a key twice. kubectl would take the last one.
    #[error("line {line}: duplicate key {key:?}; leave out one of the two")]
    DuplicateKey {
        /// The line of the second.
        line: usize,
        /// The key.
        key: String,
    },
    /// JSON has nothing for what is written there, and kubectl refuses it.
    #[error("line {line}: {what}")]
    NotJson {
        /// Where.
        line: usize,
        /// The problem, and what to do.
        what: &'static str,
    },
    /// There are too many nodes.
    #[error("it has more than {0} nodes")]
    TooLarge(usize),
    /// Aliases stand for too much.
    #[error("its aliases stand for more than {0} nodes")]
    AliasesTooLarge(usize),
    /// Nodes are too deep in each other, or an alias stands in what it stands for.
    #[error("its nodes are nested more than {0} deep")]
    TooDeep(usize),
}

/// Why a text is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A document cannot be changed in place.
    #[error(
        "the document at line {line} cannot be changed in place, for instance since an anchor or a \
         merge key shares a part of it; write that part out, or convert to JSON"
    )]
    NotInPlace {
        /// The line at which the document begins, counted from 1.
        line: usize,
    },
    /// With the additions the text is larger than what is read.
    #[error("with the additions, {0}")]
    TooLarge(#[source] ReadError),
}
