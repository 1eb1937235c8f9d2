//! Conversion of text to nodes.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, Span, StructureStyle};

use crate::node::{Kind, Node, NodeId};
use crate::{ReadError, Yaml};

/// The maximum number of nodes, which take some 50 MiB of memory.
const MAX_NODES: usize = 500_000;

/// Parses a text of documents.
pub(crate) fn read(text: &str) -> Result<Yaml<'_>, ReadError> {
    let mut reader = Reader {
        text,
        nodes: Vec::new(),
        roots: Vec::new(),
        open: Vec::new(),
        anchors: HashMap::new(),
    };
    let options = granit_parser::options! { emit_comments: false };
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| ReadError::Syntax {
            line: error.marker().line(),
            problem: error.info(),
        })?;
        reader.read(event, span)?;
    }
    Ok(Yaml { text, nodes: reader.nodes, roots: reader.roots })
}

struct Reader<'a> {
    text: &'a str,
    nodes: Vec<Node<'a>>,
    roots: Vec<NodeId>,
    /// The open collections.
    open: Vec<Open>,
    /// The node of each anchor.
    anchors: HashMap<usize, NodeId>,
}

struct Open {
    id: NodeId,
    /// A key without a value yet.
    key: Option<NodeId>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, event: Event<'a>, span: Span) -> Result<(), ReadError> {
        let anchor = event.anchor_id();
        let (kind, opens) = match event {
            Event::Scalar(text, style, _, tag) => {
                let is_left_out = span.is_empty() && tag.is_none();
                let text = if is_left_out { "".into() } else { text };
                (Kind::Scalar { text, style, tag: tag.map(Cow::into_owned) }, false)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(target) => (Kind::Alias(*target), false),
                None => return Ok(()),
            },
            Event::SequenceStart(style, ..) => (Kind::Sequence { style, items: Vec::new() }, true),
            Event::MappingStart(style, ..) => (Kind::Mapping { style, entries: Vec::new() }, true),
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(span);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let id = self.add(kind, span)?;
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        if opens {
            self.open.push(Open { id, key: None });
        }
        Ok(())
    }

    /// Adds a node to the collection that is open, or as a document.
    fn add(&mut self, kind: Kind<'a>, span: Span) -> Result<NodeId, ReadError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(ReadError::TooLarge(MAX_NODES));
        }
        let id = NodeId(self.nodes.len());
        let places = span.byte_range().unwrap_or_default();
        let mut node =
            Node { start: places.start, end: places.end, column: span.start.col(), kind };
        self.move_to_first_dash(&mut node);
        self.nodes.push(node);
        let Some(open) = self.open.last_mut() else {
            self.roots.push(id);
            return Ok(id);
        };
        match self.nodes.get_mut(open.id.0).map(|node| &mut node.kind) {
            Some(Kind::Sequence { items, .. }) => items.push(id),
            Some(Kind::Mapping { entries, .. }) => match open.key.take() {
                Some(key) => entries.push((key, id)),
                None => open.key = Some(id),
            },
            _ => {}
        }
        Ok(id)
    }

    /// The parser has another start for a sequence that is indented no more than its key: behind
    /// the first dash and blanks. The dash is in the column of the key.
    fn move_to_first_dash(&self, node: &mut Node<'a>) {
        let Some(Open { id, key: Some(key) }) = self.open.last() else { return };
        let (Some(mapping), Some(key)) = (self.nodes.get(id.0), self.nodes.get(key.0)) else {
            return;
        };
        let is_block = |node: &Node<'_>| node.style() == Some(StructureStyle::Block);
        if !is_block(node) || !matches!(node.kind, Kind::Sequence { .. }) || !is_block(mapping) {
            return;
        }
        let between = self.text.get(key.end..node.start).unwrap_or_default();
        let dash = format!("\n{}-", " ".repeat(mapping.column));
        if let Some(offset) = between.find(&dash) {
            let line = key.end.saturating_add(offset).saturating_add(1);
            node.start = line.saturating_add(mapping.column);
            node.column = mapping.column;
        }
    }

    fn close(&mut self, span: Span) {
        let node = self.open.pop().and_then(|open| self.nodes.get_mut(open.id.0));
        if let (Some(node), Some(places)) = (node, span.byte_range()) {
            node.end = places.end;
        }
    }
}
