//! Structures and enumerations in the debugging information (DWARF) of an object file, as readelf
//! prints it.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;

use test_support::succeeded;

/// The entries by their offset.
pub(crate) struct DebugInfo {
    entries: HashMap<u64, Entry>,
    offsets: Vec<u64>,
}

#[derive(Default)]
struct Entry {
    tag: String,
    attributes: HashMap<String, String>,
    children: Vec<u64>,
}

impl Entry {
    fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).map(String::as_str)
    }

    fn number(&self, attribute: &str) -> Option<u64> {
        self.text(attribute)?.parse().ok()
    }

    fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }
}

impl DebugInfo {
    pub(crate) fn read(object: &Path) -> Self {
        let mut readelf = Command::new("readelf");
        let text = succeeded(readelf.arg("--debug-dump=info").arg(object).env("LC_ALL", "C"));
        let (mut entries, mut offsets) = (HashMap::<u64, Entry>::new(), vec![]);
        let mut parents: Vec<u64> = vec![];
        for line in text.lines().map(str::trim) {
            if let Some((depth, offset, tag)) = begin(line) {
                parents.truncate(depth);
                if let Some(parent) = parents.last().and_then(|it| entries.get_mut(it)) {
                    parent.children.push(offset);
                }
                parents.push(offset);
                offsets.push(offset);
                entries.insert(offset, Entry { tag: tag.to_owned(), ..Entry::default() });
            } else if let Some((name, value)) = attribute(line) {
                let entry = offsets.last().and_then(|it| entries.get_mut(it));
                entry.unwrap().attributes.insert(name.to_owned(), value.to_owned());
            }
        }
        Self { entries, offsets }
    }

    /// A line for each named structure, each of its members, and each enumerator.
    pub(crate) fn lines(&self) -> BTreeSet<String> {
        let entries = self.offsets.iter().map(|offset| &self.entries[offset]);
        entries.flat_map(|entry| self.lines_of(entry)).collect()
    }

    fn lines_of(&self, entry: &Entry) -> Vec<String> {
        match entry.tag.as_str() {
            "DW_TAG_enumerator" => {
                let value = entry.text("const_value").unwrap();
                vec![format!("enumerator {} = {value}", entry.name())]
            }
            "DW_TAG_typedef" => match self.type_of(entry) {
                Some(of) if of.tag == "DW_TAG_structure_type" && is_ours(entry.name()) => {
                    self.structure(entry.name(), of)
                }
                _ => vec![],
            },
            _ => vec![],
        }
    }

    fn structure(&self, name: &str, structure: &Entry) -> Vec<String> {
        let size = structure.number("byte_size").unwrap_or_default();
        let members = structure.children.iter().map(|child| &self.entries[child]).map(|member| {
            let at = member.number("data_member_location").unwrap_or_default();
            let size = self.size(self.type_of(member).unwrap());
            format!("structure {name}, member {} at {at}, {size} bytes", member.name())
        });
        members.chain([format!("structure {name}, {size} bytes")]).collect()
    }

    fn type_of(&self, entry: &Entry) -> Option<&Entry> {
        let offset = entry.text("type")?.trim_matches(['<', '>']);
        self.entries.get(&u64::from_str_radix(offset.strip_prefix("0x")?, 16).ok()?)
    }

    /// The size of a type in bytes, 0 for an array without a length.
    fn size(&self, entry: &Entry) -> u64 {
        if let Some(size) = entry.number("byte_size") {
            return size;
        }
        let of_one = self.type_of(entry).map_or(0, |it| self.size(it));
        let ranges = entry.children.iter().map(|child| &self.entries[child]);
        let counts = ranges.map(|range| range.number("upper_bound").map_or(0, |it| it + 1));
        of_one * counts.product::<u64>()
    }
}

/// False for the structures of libc.
fn is_ours(name: &str) -> bool {
    name.starts_with("sgx_")
}

/// Depth, offset and tag, if the line begins an entry: `<1><2d>: Abbrev Number: 2 (DW_TAG_…)`.
fn begin(line: &str) -> Option<(usize, u64, &str)> {
    let (depth, rest) = line.strip_prefix('<')?.split_once("><")?;
    let (offset, rest) = rest.split_once(">: ")?;
    let tag = rest.split_once('(')?.1.trim_end_matches(')');
    Some((depth.parse().ok()?, u64::from_str_radix(offset, 16).ok()?, tag))
}

/// Name and value, if the line is an attribute: `<2e>   DW_AT_name : (indirect string, …): size`.
fn attribute(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once("DW_AT_")?.1.split_once(':')?;
    let value = match value.trim().strip_prefix('(') {
        Some(indirect) => indirect.split_once("): ")?.1,
        None => value,
    };
    Some((name.trim(), value.trim()))
}
