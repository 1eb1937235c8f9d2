//! Additions that change nodes to other values.

use std::collections::HashMap;

use granit_parser::{ScalarStyle, StructureStyle};
use serde_json::{Map, Value};

use crate::node::{Kind, NodeId};
use crate::print::Layout;
use crate::value::Values;
use crate::{EditError, Yaml};

/// Collects edits of a text.
pub(crate) struct Editor<'y, 'a> {
    yaml: &'y Yaml<'a>,
    /// The current document's layout and first line.
    layout: Layout,
    line: usize,
    edits: Vec<Edit>,
}

/// Replaces these bytes by a text with line feeds.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

type Result = std::result::Result<(), EditError>;

impl<'y, 'a> Editor<'y, 'a> {
    pub(crate) fn new(yaml: &'y Yaml<'a>) -> Self {
        Self { yaml, layout: Layout::DEFAULT, line: 1, edits: Vec::new() }
    }

    /// Changes a document to this value.
    pub(crate) fn make(&mut self, root: NodeId, target: &Value) -> Result {
        if Values::new(self.yaml).of(root).as_ref() == Ok(target) {
            return Ok(());
        }
        self.line = self.yaml.line(self.yaml.node(root).start);
        self.layout = self.yaml.layout(root);
        self.become_value(root, target)
    }

    /// The text with all edits, in their order where they share an offset.
    pub(crate) fn text(mut self) -> String {
        self.edits.sort_by_key(|edit| edit.start);
        let source = self.yaml.text;
        let mut text = String::new();
        let mut copied = 0;
        for edit in &self.edits {
            text += source.get(copied..edit.start).unwrap_or_default();
            text += &edit.text.replace('\n', self.yaml.line_break());
            copied = edit.end;
        }
        text + source.get(copied..).unwrap_or_default()
    }

    fn become_value(&mut self, id: NodeId, target: &Value) -> Result {
        let yaml = self.yaml;
        let node = yaml.node(id);
        match (&node.kind, target) {
            (Kind::Mapping { entries, .. }, Value::Object(fields)) => {
                self.become_object(id, entries, fields)
            }
            (Kind::Sequence { items, .. }, Value::Array(values)) => {
                self.become_array(id, items, values)
            }
            _ if Values::new(yaml).of(id).as_ref() == Ok(target) => Ok(()),
            (Kind::Scalar { style: ScalarStyle::Plain, .. }, _) | (Kind::Alias(_), _) => {
                self.replace(node.start, node.end, &self.layout.block(target, node.column));
                Ok(())
            }
            _ => self.refuse(),
        }
    }

    fn become_object(
        &mut self,
        id: NodeId,
        entries: &[(NodeId, NodeId)],
        fields: &Map<String, Value>,
    ) -> Result {
        let yaml = self.yaml;
        let merge = entries.iter().rposition(|(key, _)| yaml.is_merge(*key));
        // Fields before a merge key that overrides them are not in the mapping's value.
        let (overwritten, own) = entries.split_at(merge.map_or(0, |it| it.saturating_add(1)));
        let merged = match merge.map(|_| Values::new(yaml).of(id)) {
            Some(Ok(Value::Object(merged))) => merged,
            _ => Map::new(),
        };
        let by_name = |entries: &[(NodeId, NodeId)]| {
            let named = entries.iter().filter_map(|entry| Some((yaml.key(entry.0).ok()?, *entry)));
            named.collect::<HashMap<_, _>>()
        };
        let (overwritten, own) = (by_name(overwritten), by_name(own));
        let mut added = Map::new();
        for (name, target) in fields {
            if let Some((key, value)) = own.get(name) {
                self.become_field(id, *key, *value, target)?;
            } else if merged.get(name) != Some(target) {
                if overwritten.contains_key(name) {
                    return self.refuse();
                }
                added.insert(name.clone(), target.clone());
            }
        }
        if !added.is_empty() {
            self.add_fields(id, added);
        }
        Ok(())
    }

    /// Changes the value of a key.
    fn become_field(
        &mut self,
        mapping: NodeId,
        key: NodeId,
        value: NodeId,
        target: &Value,
    ) -> Result {
        let (mapping, node) = (self.yaml.node(mapping), self.yaml.node(value));
        let is_collection = matches!(target, Value::Object(_) | Value::Array(_));
        if node.style().is_some() || Values::new(self.yaml).of(value).as_ref() == Ok(target) {
            return self.become_value(value, target);
        }
        // A quoted scalar is a string already and never needs a change.
        if matches!(node.kind, Kind::Scalar { style, .. } if style != ScalarStyle::Plain) {
            return self.refuse();
        }
        if mapping.style() == Some(StructureStyle::Flow) || !is_collection {
            let is_left_out = node.start == node.end;
            let colon = usize::from(is_left_out && self.byte(node.start) == Some(b':'));
            let start = node.start.saturating_add(colon);
            let space = if is_left_out { " " } else { "" };
            let text = format!("{space}{}", self.layout.flow(target, None));
            self.replace(start, node.end.saturating_add(colon), &text);
            return Ok(());
        }
        let before = self.yaml.text.get(..node.start).unwrap_or_default();
        self.replace(before.trim_end_matches(' ').len(), node.end, "");
        let text = self.layout.behind_key(target, self.yaml.node(key).column.min(mapping.column));
        let end = self.yaml.end_of_lines(value);
        self.replace(end, end, &text);
        Ok(())
    }

    fn become_array(&mut self, id: NodeId, items: &[NodeId], values: &[Value]) -> Result {
        let Some((kept, added)) = values.split_at_checked(items.len()) else {
            return self.refuse();
        };
        for (item, value) in items.iter().zip(kept) {
            self.become_value(*item, value)?;
        }
        if !added.is_empty() {
            self.add_items(id, added);
        }
        Ok(())
    }

    fn add_fields(&mut self, id: NodeId, added: Map<String, Value>) {
        let node = self.yaml.node(id);
        if node.style() == Some(StructureStyle::Block) {
            return self.add_lines(id, &Value::Object(added));
        }
        let column = self.yaml.part_column(node);
        let field = |(key, value): (&String, &Value)| {
            format!("{}: {}", self.layout.string(key), self.layout.flow(value, column))
        };
        let parts: Vec<_> = added.iter().map(field).collect();
        self.add_to_flow(id, &parts);
    }

    fn add_items(&mut self, id: NodeId, added: &[Value]) {
        let node = self.yaml.node(id);
        if node.style() == Some(StructureStyle::Block) {
            return self.add_lines(id, &Value::Array(added.to_vec()));
        }
        let column = self.yaml.part_column(node);
        let parts: Vec<_> = added.iter().map(|item| self.layout.flow(item, column)).collect();
        self.add_to_flow(id, &parts);
    }

    /// Adds lines below a block collection, with its indentation.
    fn add_lines(&mut self, id: NodeId, added: &Value) {
        let (column, end) = (self.yaml.node(id).column, self.yaml.end_of_lines(id));
        let lines = self.layout.block(added, column);
        self.replace(end, end, &format!("\n{}{lines}", " ".repeat(column)));
    }

    /// Adds parts to the end of a flow collection.
    fn add_to_flow(&mut self, id: NodeId, parts: &[String]) {
        let node = self.yaml.node(id);
        let mut separator = match self.yaml.part_column(node) {
            Some(column) => format!("\n{}", " ".repeat(column)),
            None => " ".to_owned(),
        };
        let mut parts = parts.join(&format!(",{separator}"));
        if self.yaml.is_indented_by_tabs(node) {
            [parts, separator] = [parts, separator].map(|text| tabs_for_spaces(&text));
        }
        let Some(last) = node.last() else {
            let start = node.start.saturating_add(1);
            return self.replace(start, start, &parts);
        };
        let (last, end) = (self.yaml.node(last), self.yaml.end(last));
        let is_left_out = last.start == last.end && self.byte(end) == Some(b':');
        let end = end.saturating_add(usize::from(is_left_out));
        match self.yaml.behind_comma(node, end) {
            Some(behind) => self.replace(behind, behind, &format!("{separator}{parts}")),
            None => self.replace(end, end, &format!(",{separator}{parts}")),
        }
    }

    fn byte(&self, offset: usize) -> Option<u8> {
        self.yaml.text.as_bytes().get(offset).copied()
    }

    fn replace(&mut self, start: usize, end: usize, text: &str) {
        self.edits.push(Edit { start, end, text: text.to_owned() });
    }

    fn refuse(&self) -> Result {
        Err(EditError::NotInPlace { line: self.line })
    }
}

/// Indents all lines but the first by tabs instead of spaces.
fn tabs_for_spaces(text: &str) -> String {
    let lines = text.split('\n').enumerate().map(|(index, line)| {
        let rest = line.trim_start_matches(' ');
        let indent = line.len().saturating_sub(rest.len());
        if index == 0 { line.to_owned() } else { format!("{}{rest}", "\t".repeat(indent)) }
    });
    lines.collect::<Vec<_>>().join("\n")
}
