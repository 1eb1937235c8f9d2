//! Nested wrappings, and the limits on their number and size.

use crate::Evidence;
use crate::error::{Problem, ReadError};
use crate::wrapping::Wrapping;

/// The largest number of nested wrappings: evidence of an attestation service in JSON is base64 of
/// JSON with base64 of a report with a header.
pub const MAX_DEPTH: usize = 8;

/// The largest text that is read, in bytes. Event logs are the largest parts of evidence.
pub const MAX_TEXT_SIZE: usize = 1024 * 1024;

/// The functions that recognize a form. Forms reach them through [`Reader`], to read their
/// contents.
pub(crate) struct Recognize {
    pub(crate) text: fn(Reader, &str) -> Result<Evidence, ReadError>,
    pub(crate) binary: fn(Reader, &[u8]) -> Result<Evidence, ReadError>,
}

/// A position: the number of wrappings around it, and if structures are recognized by their size.
#[derive(Clone, Copy)]
pub(crate) struct Reader {
    recognize: &'static Recognize,
    depth: usize,
    by_size: bool,
}

impl Reader {
    /// A reader for a whole file.
    pub(crate) fn new(recognize: &'static Recognize) -> Self {
        Self { recognize, depth: 0, by_size: true }
    }

    pub(crate) fn recognizes_sizes(self) -> bool {
        self.by_size
    }

    /// A reader for the contents of a wrapping.
    ///
    /// # Errors
    /// When wrappings nest too deeply.
    pub(crate) fn inner(self) -> Result<Self, ReadError> {
        match self.depth.saturating_add(1) {
            depth if depth > MAX_DEPTH => Err(Problem::TooDeep(MAX_DEPTH).into()),
            depth => Ok(Self { depth, ..self }),
        }
    }

    /// The same for a field of a document, in which a size proves nothing: an RSA signature has as
    /// many bytes as an attestation key id.
    ///
    /// # Errors
    /// As [`Reader::inner`].
    pub(crate) fn field(self) -> Result<Self, ReadError> {
        Ok(Self { by_size: false, ..self.inner()? })
    }

    /// Reads text or binary data.
    pub(crate) fn read(self, bytes: &[u8]) -> Result<Evidence, ReadError> {
        match text(bytes) {
            Some(text) if text.len() > MAX_TEXT_SIZE => {
                Err(Problem::TooLarge { size: text.len(), limit: MAX_TEXT_SIZE }.into())
            }
            Some(text) => (self.recognize.text)(self, text),
            None => self.read_binary(bytes),
        }
    }

    /// Reads bytes that are not text.
    pub(crate) fn read_binary(self, bytes: &[u8]) -> Result<Evidence, ReadError> {
        (self.recognize.binary)(self, bytes)
    }

    /// Reads the contents of a wrapping.
    pub(crate) fn read_inner(
        self,
        bytes: &[u8],
        wrapping: Wrapping,
    ) -> Result<Evidence, ReadError> {
        wrapped(self.inner().and_then(|inner| inner.read(bytes)), wrapping)
    }
}

/// Adds a wrapping to the result of reading its contents.
pub(crate) fn wrapped(
    read: Result<Evidence, ReadError>,
    wrapping: Wrapping,
) -> Result<Evidence, ReadError> {
    match read {
        Ok(evidence) => Ok(evidence.within(wrapping)),
        Err(error) => Err(error.within(wrapping)),
    }
}

/// The bytes as text without the white space, the byte order mark and the zeros around it; `None`
/// if they are not text, or empty.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.trim_start_matches('\u{feff}').trim_end_matches('\0').trim();
    let is_text = |character: char| !character.is_control() || character.is_ascii_whitespace();
    (!text.is_empty() && text.chars().all(is_text)).then_some(text)
}
