//! The nodes of YAML, with their places in the text.

use std::borrow::Cow;

use granit_parser::{ScalarStyle, StructureStyle, Tag};

/// The index of a node in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(pub(crate) usize);

/// A node. Offsets are in bytes.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// The first byte; in a block collection that of the first key or indicator.
    pub(crate) start: usize,
    /// The byte after the last one; undefined for a block collection.
    pub(crate) end: usize,
    /// The column of `start` in characters, counted from 0.
    pub(crate) column: usize,
    pub(crate) kind: Kind<'a>,
}

#[derive(Debug)]
pub(crate) enum Kind<'a> {
    Scalar {
        text: Cow<'a, str>,
        style: ScalarStyle,
        tag: Option<Tag>,
    },
    /// The target of the alias.
    Alias(NodeId),
    Sequence {
        style: StructureStyle,
        items: Vec<NodeId>,
    },
    Mapping {
        style: StructureStyle,
        entries: Vec<(NodeId, NodeId)>,
    },
}

impl Node<'_> {
    /// An empty node, which is null.
    pub(crate) const EMPTY: Self = Self {
        start: 0,
        end: 0,
        column: 0,
        kind: Kind::Scalar { text: Cow::Borrowed(""), style: ScalarStyle::Plain, tag: None },
    };

    /// The style of a collection.
    pub(crate) fn style(&self) -> Option<StructureStyle> {
        match self.kind {
            Kind::Sequence { style, .. } | Kind::Mapping { style, .. } => Some(style),
            Kind::Scalar { .. } | Kind::Alias(_) => None,
        }
    }

    /// The last node in a collection.
    pub(crate) fn last(&self) -> Option<NodeId> {
        match &self.kind {
            Kind::Sequence { items, .. } => items.last().copied(),
            Kind::Mapping { entries, .. } => entries.last().map(|(_, value)| *value),
            Kind::Scalar { .. } | Kind::Alias(_) => None,
        }
    }

    /// The first node in a collection.
    pub(crate) fn first(&self) -> Option<NodeId> {
        match &self.kind {
            Kind::Sequence { items, .. } => items.first().copied(),
            Kind::Mapping { entries, .. } => entries.first().map(|(key, _)| *key),
            Kind::Scalar { .. } | Kind::Alias(_) => None,
        }
    }
}
