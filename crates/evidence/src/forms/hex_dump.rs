//! The output of `xxd` and `hexdump -C`: an offset, up to 16 bytes, and the same as text.

use crate::error::{Problem, ReadError};

/// The least number of digits of an offset.
const OFFSET_DIGITS: usize = 7;

/// The bytes, if the text begins with a line of a dump, at offset 0.
pub(crate) fn decode(text: &str) -> Option<Result<Vec<u8>, ReadError>> {
    let first = text.lines().next().and_then(Line::parse);
    first.is_some_and(|line| line.offset == 0).then(|| decode_lines(text))
}

fn decode_lines(text: &str) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        match Line::parse(line) {
            Some(Line { offset, bytes: more }) if offset == bytes.len() => bytes.extend(more),
            _ if line == "*" => {
                return Err(malformed("it omits repeated lines; use hexdump -v"));
            }
            _ => return Err(malformed(&format!("bytes are missing at offset {}", bytes.len()))),
        }
    }
    Ok(bytes)
}

/// A line of a dump.
struct Line {
    offset: usize,
    bytes: Vec<u8>,
}

impl Line {
    /// The text column begins with two spaces in xxd, with a bar in hexdump, which also has two
    /// spaces between its halves.
    fn parse(line: &str) -> Option<Self> {
        let (offset, columns) = match line.split_once(": ") {
            Some((offset, rest)) => (offset, rest.split("  ").next()?),
            None => {
                let (offset, rest) = line.split_once("  ").unwrap_or((line, ""));
                (offset, rest.split('|').next()?)
            }
        };
        let digits: String = columns.split(' ').collect();
        Some(Self {
            offset: (offset.len() >= OFFSET_DIGITS)
                .then(|| usize::from_str_radix(offset, 16).ok())??,
            bytes: hex::decode(digits).ok()?,
        })
    }
}

fn malformed(reason: &str) -> ReadError {
    Problem::Malformed { form: "the hex dump", reason: reason.to_owned() }.into()
}
