//! Values with a name on the command line.

/// An unknown name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown name {text:?}; expected one of {names}")]
pub struct UnknownName {
    text: String,
    names: String,
}

/// The value of this name.
pub(super) fn find<T: Copy, const N: usize>(
    text: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let unknown = || UnknownName { text: text.to_owned(), names: all.map(name).join(", ") };
    all.into_iter().find(|one| name(*one) == text).ok_or_else(unknown)
}
