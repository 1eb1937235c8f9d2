//! One description of a structure, for people and for programs alike.

use std::fmt;

/// A structure that can say what its fields hold.
pub trait Describe {
    /// The fields in the order in which they lie in memory; reserved ones are left out while zero.
    fn describe(&self) -> Description;
}

/// The names and values of a structure's fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description(pub Vec<(&'static str, Value)>);

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Numbers in decimal, byte strings in hexadecimal.
    Text(String),
    /// Text of several lines, such as a certificate chain.
    Block(String),
    /// A structure within the structure.
    Fields(Description),
}

impl Description {
    /// Adds a field.
    #[must_use]
    pub fn text(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.push((name, Value::Text(value.to_string())));
        self
    }

    /// Adds a byte string.
    #[must_use]
    pub fn bytes(self, name: &'static str, value: &[u8]) -> Self {
        self.text(name, hex::encode(value))
    }

    /// Adds bytes that are zero today: named only if they are not.
    #[must_use]
    pub fn reserved(self, name: &'static str, value: &[u8]) -> Self {
        if value.iter().all(|byte| *byte == 0) { self } else { self.bytes(name, value) }
    }

    /// Adds text of several lines.
    #[must_use]
    pub fn block(mut self, name: &'static str, value: String) -> Self {
        self.0.push((name, Value::Block(value)));
        self
    }

    /// Adds a structure.
    #[must_use]
    pub fn fields(mut self, name: &'static str, value: &impl Describe) -> Self {
        self.0.push((name, Value::Fields(value.describe())));
        self
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        let widths = self.0.iter().filter(|(_, value)| matches!(value, Value::Text(_)));
        let width = widths.map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in &self.0 {
            match value {
                Value::Text(text) => writeln!(f, "{:indent$}{name:width$}  {text}", "")?,
                Value::Block(text) => {
                    writeln!(f, "{:indent$}{name}", "")?;
                    text.lines().try_for_each(|line| writeln!(f, "{:indent$}  {line}", ""))?;
                }
                Value::Fields(fields) => {
                    writeln!(f, "{:indent$}{name}", "")?;
                    fields.write(f, indent.saturating_add(2))?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// Gives structures that describe themselves their `Display` and `Debug`.
macro_rules! display_description {
    ($($name:ty),+) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.describe().fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                writeln!(f, "{} {{", stringify!($name))?;
                std::fmt::Display::fmt(self, f)?;
                f.write_str("}")
            }
        }
    )+};
}
pub(crate) use display_description;
