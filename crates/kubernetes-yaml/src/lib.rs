//! YAML as kubectl reads it, and additions that leave every other byte of the text alone.
//!
//! [`Yaml::parse`] reads a file of documents, [`Yaml::values`] gives their JSON, and [`Yaml::with`]
//! the text for other values that have more in them. Nothing is printed anew: comments, quoting,
//! order, indentation, line ends and the notation of numbers stay as their author wrote them.
//!
//! Scalars mean what they mean to `sigs.k8s.io/yaml`, which is YAML 1.1 for numbers and booleans:
//! `0440` is 288, `yes` is true, dates are strings. Unlike there, a key that stands twice in a
//! mapping is an error. A text may have 500,000 nodes, aliases 100,000 more.

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
    /// Reads a text.
    ///
    /// # Errors
    /// [`ReadError`] if it is not YAML, or larger or more nested than what is read.
    pub fn parse(text: &'a str) -> Result<Self, ReadError> {
        reader::read(text)
    }

    /// The documents in JSON; null for one without content.
    ///
    /// # Errors
    /// [`ReadError`] if a document has no meaning in JSON, or its aliases stand for too much.
    pub fn values(&self) -> Result<Vec<Value>, ReadError> {
        let mut values = Values::new(self);
        self.roots.iter().map(|root| values.of(*root)).collect()
    }

    /// The lines at which the documents begin, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = usize> {
        self.roots.iter().map(|root| self.line(self.node(*root).start))
    }

    /// A scalar as it is written in a document, without its quotes: `0440`, where its value is 288.
    /// The place is a JSON pointer (RFC 6901).
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

    /// The text with such an addition to each document that its value becomes the target.
    ///
    /// # Errors
    /// [`EditError`] if the documents cannot become so by additions, such as in a part that is
    /// shared by aliases. The result has been read again by then.
    pub fn with(&self, targets: &[Value]) -> Result<String, EditError> {
        let mut editor = Editor::new(self);
        for (root, target) in self.roots.iter().zip(targets) {
            editor.make(*root, target)?;
        }
        let text = editor.text();
        self.check(&text, targets)?;
        Ok(text)
    }

    /// Checks that the text says what it should.
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
        // An id is given for a node that is there.
        self.nodes.get(id.0).unwrap_or(&Node::EMPTY)
    }

    /// The node, or what an alias stands for.
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
