//! Conversion of nodes to JSON.

use std::collections::HashSet;

use granit_parser::{ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use crate::node::{Kind, Node, NodeId};
use crate::scalar::resolve;
use crate::{ReadError, Yaml};

/// The maximum number of nodes that aliases add.
const MAX_ALIASED: usize = 100_000;
/// The maximum nesting, aliases included. Without aliases the parser allows 255 collections of each
/// style.
const MAX_DEPTH: usize = 512;

/// Converts nodes to JSON.
pub(crate) struct Values<'y, 'a> {
    yaml: &'y Yaml<'a>,
    depth: usize,
    /// The number of aliases around the node.
    aliases: usize,
    /// The number of nodes visited through aliases.
    aliased: usize,
}

impl<'y, 'a> Values<'y, 'a> {
    pub(crate) fn new(yaml: &'y Yaml<'a>) -> Self {
        Self { yaml, depth: 0, aliases: 0, aliased: 0 }
    }

    /// The value of a node.
    pub(crate) fn of(&mut self, id: NodeId) -> Result<Value, ReadError> {
        if self.depth >= MAX_DEPTH {
            return Err(ReadError::TooDeep(MAX_DEPTH));
        }
        if self.aliases > 0 {
            self.aliased = self.aliased.saturating_add(1);
        }
        if self.aliased > MAX_ALIASED {
            return Err(ReadError::AliasesTooLarge(MAX_ALIASED));
        }
        self.depth = self.depth.saturating_add(1);
        let value = self.of_kind(self.yaml.node(id));
        self.depth = self.depth.saturating_sub(1);
        value
    }

    fn of_kind(&mut self, node: &Node<'a>) -> Result<Value, ReadError> {
        match &node.kind {
            Kind::Scalar { .. } => self.yaml.scalar(node),
            Kind::Alias(target) => {
                self.aliases = self.aliases.saturating_add(1);
                let value = self.of(*target);
                self.aliases = self.aliases.saturating_sub(1);
                value
            }
            Kind::Sequence { items, .. } => items.iter().map(|item| self.of(*item)).collect(),
            Kind::Mapping { entries, .. } => self.of_mapping(entries).map(Value::Object),
        }
    }

    /// A later key overrides merged fields, and merged fields override an earlier key.
    fn of_mapping(
        &mut self,
        entries: &[(NodeId, NodeId)],
    ) -> Result<Map<String, Value>, ReadError> {
        let mut fields = Map::new();
        let mut keys = HashSet::new();
        for (key, value) in entries {
            if self.yaml.is_merge(*key) {
                self.merge(*value, &mut fields)?;
                continue;
            }
            let name = self.yaml.key(*key)?;
            fields.insert(name.clone(), self.of(*value)?);
            if !keys.insert(name.clone()) {
                let line = self.yaml.line(self.yaml.node(*key).start);
                return Err(ReadError::DuplicateKey { line, key: name });
            }
        }
        Ok(fields)
    }

    /// Earlier mappings override later ones.
    fn merge(&mut self, id: NodeId, into: &mut Map<String, Value>) -> Result<(), ReadError> {
        let merged = match self.of(id)? {
            Value::Array(merged) => merged,
            other => vec![other],
        };
        for fields in merged.into_iter().rev() {
            let Value::Object(fields) = fields else {
                let what = "a merge key (<<) takes a mapping, or a list of mappings";
                return Err(self.yaml.not_json(self.yaml.node(id), what));
            };
            into.extend(fields);
        }
        Ok(())
    }
}

impl<'a> Yaml<'a> {
    /// The value of a scalar.
    fn scalar(&self, node: &Node<'a>) -> Result<Value, ReadError> {
        let Kind::Scalar { text, style, tag } = &node.kind else { return Ok(Value::Null) };
        let string = || Value::String(text.clone().into_owned());
        let tag = match tag.as_ref().map(Tag::core_suffix) {
            None if *style == ScalarStyle::Plain => {
                let what = "JSON has no infinity and no NaN";
                return resolve(text).ok_or_else(|| self.not_json(node, what));
            }
            None | Some(None | Some("str" | "timestamp")) => return Ok(string()),
            Some(Some(tag)) => tag,
        };
        let value = resolve(text).unwrap_or_default();
        match (tag, &value) {
            ("null", Value::Null) | ("bool", Value::Bool(_)) => Ok(value),
            ("int", Value::Number(number)) if !number.is_f64() => Ok(value),
            ("float", Value::Number(number)) => {
                Ok(number.as_f64().and_then(Number::from_f64).map_or(value, Value::Number))
            }
            _ => Err(self.not_json(node, "the tag does not fit the value; leave it out")),
        }
    }

    /// A key in JSON: a string, or a number or boolean as a string.
    pub(crate) fn key(&self, id: NodeId) -> Result<String, ReadError> {
        let node = self.resolved(id);
        let value = match node.kind {
            Kind::Scalar { .. } => self.scalar(node)?,
            _ => Value::Null,
        };
        match value {
            Value::String(key) => Ok(key),
            Value::Bool(key) => Ok(key.to_string()),
            Value::Number(key) => Ok(number_key(&key)),
            _ => Err(self.not_json(self.node(id), "a key is not a string; put it into quotes")),
        }
    }

    /// True if a key merges other mappings.
    pub(crate) fn is_merge(&self, key: NodeId) -> bool {
        match &self.node(key).kind {
            Kind::Scalar { text, style, .. } => text == "<<" && *style == ScalarStyle::Plain,
            _ => false,
        }
    }

    fn not_json(&self, node: &Node<'a>, what: &'static str) -> ReadError {
        ReadError::NotJson { line: self.line(node.start), what }
    }
}

/// A number as a key: fractions are rounded to 32 bits, as by kubectl.
fn number_key(key: &Number) -> String {
    match key.as_f64().filter(|_| key.is_f64()) {
        #[allow(clippy::cast_possible_truncation, reason = "as kubectl does it")]
        Some(fraction) => (fraction as f32).to_string(),
        None => key.to_string(),
    }
}
