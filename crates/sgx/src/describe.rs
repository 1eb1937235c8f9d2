//! Descriptions of structures, for text output.

use std::fmt;

/// A structure with a description of its fields.
pub trait Describe {
    /// The fields in memory order, without reserved ones that are zero.
    fn describe(&self) -> Description;
}

/// The names and values of a structure's fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description(pub Vec<(&'static str, Value)>);

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text of one line, such as a number or a date.
    Text(String),
    /// A byte string; in text hexadecimal.
    Bytes(Vec<u8>),
    /// Text of several lines, such as a certificate chain.
    Block(String),
    /// A structure within the structure.
    Fields(Description),
    /// Several structures of one kind.
    List(Vec<Description>),
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
    pub fn bytes(mut self, name: &'static str, value: &[u8]) -> Self {
        self.0.push((name, Value::Bytes(value.to_vec())));
        self
    }

    /// Adds reserved bytes, unless they are zero.
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
    pub fn fields(self, name: &'static str, value: &impl Describe) -> Self {
        self.nested(name, value.describe())
    }

    /// Adds a described structure.
    #[must_use]
    pub fn nested(mut self, name: &'static str, value: Self) -> Self {
        self.0.push((name, Value::Fields(value)));
        self
    }

    /// Adds structures of one kind.
    #[must_use]
    pub fn list(mut self, name: &'static str, values: Vec<Self>) -> Self {
        self.0.push((name, Value::List(values)));
        self
    }

    /// Adds the fields of another description.
    #[must_use]
    pub fn extend(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The same description, with byte strings encoded as text.
    #[must_use]
    pub fn with_bytes_as(self, encode: &impl Fn(&[u8]) -> String) -> Self {
        let value = |value| match value {
            Value::Bytes(bytes) => Value::Text(encode(&bytes)),
            Value::Fields(fields) => Value::Fields(fields.with_bytes_as(encode)),
            Value::List(list) => {
                Value::List(list.into_iter().map(|fields| fields.with_bytes_as(encode)).collect())
            }
            other @ (Value::Text(_) | Value::Block(_)) => other,
        };
        Self(self.0.into_iter().map(|(name, field)| (name, value(field))).collect())
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        let is_inline = |value: &Value| matches!(value, Value::Text(_) | Value::Bytes(_));
        let widths = self.0.iter().filter(|(_, value)| is_inline(value));
        let width = widths.map(|(name, _)| name.len()).max().unwrap_or(0);
        let deeper = indent.saturating_add(2);
        for (name, value) in &self.0 {
            match value {
                Value::Text(text) => writeln!(f, "{:indent$}{name:width$}  {text}", "")?,
                Value::Bytes(bytes) => {
                    writeln!(f, "{:indent$}{name:width$}  {}", "", hex::encode(bytes))?;
                }
                Value::Block(text) => {
                    writeln!(f, "{:indent$}{name}", "")?;
                    text.lines().try_for_each(|line| writeln!(f, "{:deeper$}{line}", ""))?;
                }
                Value::Fields(fields) => {
                    writeln!(f, "{:indent$}{name}", "")?;
                    fields.write(f, deeper)?;
                }
                Value::List(list) => {
                    writeln!(f, "{:indent$}{name}", "")?;
                    for (number, fields) in (1..).zip(list) {
                        writeln!(f, "{:deeper$}{number}", "")?;
                        fields.write(f, deeper.saturating_add(2))?;
                    }
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

/// Implements `Display` and `Debug` by `Describe`.
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
