//! Values with a name on the command line.

/// An unknown name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown name {text:?}; expected one of {names}")]
pub struct UnknownName {
    text: String,
    names: String,
}

/// Displays and parses the types by their `name` and `ALL`.
macro_rules! by_name {
    ($($type:ident),+) => { $(
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::manifests::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                super::named::find(text, Self::ALL, Self::name)
            }
        }
    )+ };
}

pub(super) use by_name;

/// The value of this name.
pub(super) fn find<T: Copy, const N: usize>(
    text: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let unknown = || UnknownName { text: text.to_owned(), names: all.map(name).join(", ") };
    all.into_iter().find(|one| name(*one) == text).ok_or_else(unknown)
}
