//! A structure as text, and as JSON or YAML.

use std::fmt;

use evidence::Evidence;
use serde::ser::{Serialize, SerializeMap, Serializer};
use sgx::{Description, Value};

use super::encoding::{Encoding, shortened};

/// A structure, how it was wrapped, and its fields.
pub(super) struct Inspected<'a> {
    name: &'static str,
    evidence: &'a Evidence,
    description: Description,
    encoding: Encoding,
}

impl<'a> Inspected<'a> {
    /// For programs: each byte string whole, in this encoding.
    pub(super) fn whole(
        name: &'static str,
        evidence: &'a Evidence,
        description: Description,
        encoding: Encoding,
    ) -> Self {
        let description = description.with_bytes_as(&|bytes| encoding.encode(bytes));
        Self { name, evidence, description, encoding }
    }

    /// For people: long byte strings are shortened.
    pub(super) fn shortened(
        name: &'static str,
        evidence: &'a Evidence,
        description: Description,
    ) -> Self {
        let description = description.with_bytes_as(&shortened);
        Self { name, evidence, description, encoding: Encoding::Hex }
    }
}

impl fmt::Display for Inspected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        if let Some(origin) = self.evidence.origin() {
            writeln!(f, "read from {origin}")?;
        }
        self.evidence.bindings.iter().try_for_each(|binding| writeln!(f, "{binding}"))?;
        writeln!(f, "{}", self.description)
    }
}

impl Serialize for Inspected<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("structure", self.name)?;
        map.serialize_entry("read_from", &self.evidence.origin())?;
        map.serialize_entry("bound", &self.evidence.binding().map(|binding| binding.is_ok()))?;
        let bindings: Vec<_> = self.evidence.bindings.iter().map(ToString::to_string).collect();
        map.serialize_entry("bindings", &bindings)?;
        map.serialize_entry("encoding", self.encoding.name())?;
        map.serialize_entry("fields", &Fields(&self.description))?;
        map.end()
    }
}

/// A description as a JSON object.
struct Fields<'a>(&'a Description);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.0.len()))?;
        for (name, value) in &self.0.0 {
            match value {
                Value::Text(text) | Value::Block(text) => map.serialize_entry(name, text)?,
                Value::Bytes(bytes) => map.serialize_entry(name, &hex::encode(bytes))?,
                Value::Fields(fields) => map.serialize_entry(name, &Fields(fields))?,
                Value::List(list) => {
                    let list: Vec<_> = list.iter().map(Fields).collect();
                    map.serialize_entry(name, &list)?;
                }
            }
        }
        map.end()
    }
}
