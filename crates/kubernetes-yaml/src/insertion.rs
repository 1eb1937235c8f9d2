//! Offsets for additions to a text.

use granit_parser::{ScalarStyle, StructureStyle};

use crate::Yaml;
use crate::node::{Kind, Node, NodeId};
use crate::print::Layout;

impl<'a> Yaml<'a> {
    /// The end of a block node's last line, after its comment.
    pub(crate) fn end_of_lines(&self, id: NodeId) -> usize {
        let end = self.end(id);
        let rest = self.text.get(end..).unwrap_or_default();
        end.saturating_add(rest.find(['\r', '\n']).unwrap_or(rest.len()))
    }

    /// The end of a node's text, or of its last part.
    pub(crate) fn end(&self, id: NodeId) -> usize {
        let mut node = self.node(id);
        while node.style() == Some(StructureStyle::Block)
            && let Some(last) = node.last()
        {
            node = self.node(last);
        }
        match &node.kind {
            Kind::Scalar { text, style: ScalarStyle::Literal | ScalarStyle::Folded, .. } => {
                self.end_of_block_scalar(node, text)
            }
            _ => node.end,
        }
    }

    /// The end of a block scalar's last line, including empty lines that belong to it.
    fn end_of_block_scalar(&self, node: &Node<'a>, text: &str) -> usize {
        let keeps_empty_lines = text.trim_end_matches('\n').is_empty() || text.ends_with("\n\n");
        let raw = self.text.get(node.start..node.end).unwrap_or_default();
        let lines = match keeps_empty_lines {
            true => raw.rsplit_once('\n').map_or(raw, |(lines, _)| lines),
            false => raw.trim_end(),
        };
        let lines = lines.strip_suffix('\r').unwrap_or(lines);
        node.start.saturating_add(lines.len())
    }

    /// The line break of the text.
    pub(crate) fn line_break(&self) -> &'static str {
        match self.text.split_once('\n') {
            Some((line, _)) if line.ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// The offset after the comma behind the last part of a flow collection, if there is one.
    pub(crate) fn behind_comma(&self, collection: &Node<'a>, last: usize) -> Option<usize> {
        let rest = self.text.get(last..collection.end)?;
        let mut is_comment = false;
        for (offset, c) in rest.char_indices() {
            match c {
                '\n' => is_comment = false,
                '#' => is_comment = true,
                ',' if !is_comment => return last.checked_add(offset)?.checked_add(1),
                _ => {}
            }
        }
        None
    }

    /// The column of a flow collection's parts, if each has its own line.
    pub(crate) fn part_column(&self, collection: &Node<'a>) -> Option<usize> {
        let first = self.node(collection.first()?);
        let before = self.text.get(collection.start..first.start)?;
        before.contains('\n').then_some(first.column)
    }

    /// True if a flow collection's parts, each on its own line, are indented by tabs.
    pub(crate) fn is_indented_by_tabs(&self, collection: &Node<'a>) -> bool {
        let first = collection.first().map_or(collection.start, |first| self.node(first).start);
        let before = self.text.get(collection.start..first).unwrap_or_default();
        before.contains('\t')
    }

    /// The layout of a document, as far as it is visible.
    pub(crate) fn layout(&self, root: NodeId) -> Layout {
        let is_json = self.node(root).style() == Some(StructureStyle::Flow);
        let mut layout = Layout { is_json, ..Layout::DEFAULT };
        let (mut mapping, mut sequence) = (None, None);
        let mut next = vec![root];
        while let Some(node) = next.pop().map(|id| self.node(id)) {
            if let Kind::Sequence { items, .. } = &node.kind {
                next.extend(items.iter().rev());
            }
            let Kind::Mapping { entries, .. } = &node.kind else { continue };
            for (_, value) in entries {
                let inner = self.node(*value);
                let column = match (node.style(), inner.style()) {
                    (Some(StructureStyle::Block), Some(StructureStyle::Block)) => inner.column,
                    (Some(StructureStyle::Flow), Some(StructureStyle::Flow)) => {
                        let Some(column) = self.part_column(inner) else { continue };
                        column
                    }
                    _ => continue,
                };
                let step = column.saturating_sub(self.key_column(node));
                match inner.kind {
                    Kind::Sequence { .. } => sequence.get_or_insert(step),
                    _ => mapping.get_or_insert(step),
                };
            }
            if mapping.is_some() && sequence.is_some() {
                break;
            }
            next.extend(entries.iter().rev().map(|(_, value)| *value));
        }
        layout.step = mapping.filter(|step| (1..=8).contains(step)).unwrap_or(layout.step);
        layout.sequence_step = sequence.filter(|step| *step <= 8).unwrap_or(0);
        layout
    }

    /// The column of the keys of a mapping.
    fn key_column(&self, mapping: &Node<'a>) -> usize {
        match mapping.style() {
            Some(StructureStyle::Flow) => self.part_column(mapping).unwrap_or(mapping.column),
            _ => mapping.column,
        }
    }
}
