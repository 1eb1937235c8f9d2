//! Parses YAML as kubectl does, and edits it in place.
//!
//! [`Yaml::parse`] parses a file of documents, [`Yaml::values`] returns them as JSON, and
//! [`Yaml::with`] returns the text with additions. Comments, quoting, order, indentation, line ends
//! and the notation of numbers do not change.
//!
//! Scalars have the meaning that they have to `sigs.k8s.io/yaml`, which is YAML 1.1 for numbers and
//! booleans: `0440` is 288, `yes` is true, dates are strings. Other than there, duplicate keys in a
//! mapping are an error. The limits are 500,000 nodes, and 100,000 more by aliases.

mod edit;
mod error;
mod insertion;
mod node;
mod print;
mod reader;
mod scalar;
mod value;

pub use error::{EditError, ReadError};

use serde_json::Value;

use edit::Editor;
use node::{Kind, Node, NodeId};
use value::Values;

/// A text of YAML documents, with the place of each node.
#[derive(Debug)]
pub struct Yaml<'a> {
    text: &'a str,
    nodes: Vec<Node<'a>>,
    /// The root node of each document.
    roots: Vec<NodeId>,
}

impl<'a> Yaml<'a> {
    /// Parses a text.
    ///
    /// # Errors
    /// [`ReadError`] if it is not YAML, or exceeds a limit.
    pub fn parse(text: &'a str) -> Result<Self, ReadError> {
        reader::read(text)
    }

    /// The documents in JSON; null for an empty one.
    ///
    /// # Errors
    /// [`ReadError`] if a document has no JSON form, or its aliases exceed the limit.
    pub fn values(&self) -> Result<Vec<Value>, ReadError> {
        let mut values = Values::new(self);
        self.roots.iter().map(|root| values.of(*root)).collect()
    }

    /// The first line of each document, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = usize> {
        self.roots.iter().map(|root| self.line(self.node(*root).start))
    }

    /// A scalar's text without quotes, such as `0440`, at a JSON pointer (RFC 6901) in a document.
    #[must_use]
    pub fn written(&self, document: usize, pointer: &str) -> Option<&str> {
        let mut node = self.resolved(*self.roots.get(document)?);
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            node = self.resolved(self.child(node, &step)?);
        }
        match &node.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The text with additions that change the documents' values to the targets.
    ///
    /// # Errors
    /// [`EditError`] if additions cannot do so, for instance in a part that aliases share. The
    /// result was parsed and compared.
    pub fn with(&self, targets: &[Value]) -> Result<String, EditError> {
        let mut editor = Editor::new(self);
        for (root, target) in self.roots.iter().zip(targets) {
            editor.make(*root, target)?;
        }
        let text = editor.text();
        self.check(&text, targets)?;
        Ok(text)
    }

    /// Checks that the text has these values.
    fn check(&self, text: &str, targets: &[Value]) -> Result<(), EditError> {
        let values = match Yaml::parse(text).and_then(|yaml| yaml.values()) {
            Ok(values) => values,
            Err(error @ (ReadError::TooLarge(_) | ReadError::AliasesTooLarge(_))) => {
                return Err(EditError::TooLarge(error));
            }
            Err(_) => Vec::new(),
        };
        for (index, (line, target)) in self.lines().zip(targets).enumerate() {
            if values.get(index) != Some(target) {
                return Err(EditError::NotInPlace { line });
            }
        }
        match values.len() == targets.len() {
            true => Ok(()),
            false => Err(EditError::NotInPlace { line: 1 }),
        }
    }

    fn node(&self, id: NodeId) -> &Node<'a> {
        // Ids exist only for nodes in the list.
        self.nodes.get(id.0).unwrap_or(&Node::EMPTY)
    }

    /// The node, or the target of an alias.
    fn resolved(&self, id: NodeId) -> &Node<'a> {
        match self.node(id).kind {
            Kind::Alias(target) => self.node(target),
            _ => self.node(id),
        }
    }

    fn child(&self, node: &Node<'a>, step: &str) -> Option<NodeId> {
        match &node.kind {
            Kind::Sequence { items, .. } => items.get(step.parse::<usize>().ok()?).copied(),
            Kind::Mapping { entries, .. } => {
                let mut entries = entries.iter();
                let is_key = |key: NodeId| self.key(key).is_ok_and(|key| key == step);
                entries.find(|(key, _)| is_key(*key)).map(|(_, value)| *value)
            }
            Kind::Scalar { .. } | Kind::Alias(_) => None,
        }
    }

    /// The line of an offset, counted from 1.
    fn line(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1)
    }
}
