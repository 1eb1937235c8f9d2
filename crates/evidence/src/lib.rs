//! The forms in which people hold quotes.
//!
//! [`Evidence::read`] takes the bytes of a file, finds the quote in them and says how it was
//! wrapped: as hexadecimal or base64, in JSON, in an RA-TLS certificate, behind a header of the
//! Open Enclave SDK, or in a buffer padded with zeros. Wrappings nest up to [`MAX_DEPTH`]. There is
//! no input or output here.
//!
//! Some wrappings carry data that the quote vouches for in REPORTDATA, such as the key of a
//! certificate. [`Evidence::bindings`] says of each one whether it does. Nothing here checks a
//! quote's signature: that is what the crate `verify` is for, and a binding is worth nothing
//! without it.
//!
//! The order of recognition, for binary data: headers of Open Enclave, quotes, EPID quotes,
//! structures of a fixed size, DER certificates, CBOR evidence; for text: JSON, hexadecimal, hex
//! dumps, PEM, base64.

mod binding;
mod content;
mod error;
mod forms;
mod quote_bytes;
mod reader;
mod recognition;
mod wrapping;

pub use binding::Binding;
pub use content::Content;
pub use error::{NotVerifiable, ReadError};
pub use reader::{MAX_DEPTH, MAX_TEXT_SIZE};
pub use wrapping::Wrapping;

/// The bytes of a quote, or of what was found in its place, and how they were wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The kind of structure.
    pub content: Content,
    /// Exactly the bytes of the structure: wrappings and padding are removed.
    pub bytes: Vec<u8>,
    /// The wrappings, from the innermost to the outermost.
    pub wrappings: Vec<Wrapping>,
    /// Data that came with the quote, and whether REPORTDATA vouches for it.
    pub bindings: Vec<Binding>,
}

impl Evidence {
    /// Finds the quote in the bytes of a file.
    ///
    /// # Errors
    /// [`ReadError`] says what the bytes look like, or where they are damaged.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        recognition::read_file(bytes)
    }

    /// The same, but only a quote of a kind that a remote party can verify.
    ///
    /// # Errors
    /// [`ReadError`], also for EPID quotes, local REPORTs and other structures.
    pub fn read_quote(bytes: &[u8]) -> Result<Self, ReadError> {
        let evidence = Self::read(bytes)?;
        match evidence.not_verifiable() {
            None => Ok(evidence),
            Some(reason) => Err(ReadError::new(reason, evidence.wrappings)),
        }
    }

    /// The reason why no remote party can verify this; `None` for a quote that one can verify.
    #[must_use]
    pub fn not_verifiable(&self) -> Option<NotVerifiable> {
        match self.content {
            Content::Quote { .. } => None,
            Content::EpidQuote { version } => Some(NotVerifiable::Epid { version }),
            Content::LocalReport => Some(NotVerifiable::LocalReport),
            Content::Structure => Some(NotVerifiable::NoQuote { size: self.bytes.len() }),
        }
    }

    /// The wrappings as people read them, such as `base64, in JSON field quote`; `None` if the
    /// bytes were the structure itself.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        wrapping::origin(&self.wrappings)
    }

    /// All bindings as one: `None` without any, an error if one fails.
    #[must_use]
    pub fn binding(&self) -> Option<Result<(), String>> {
        let failed = self.bindings.iter().filter_map(Binding::failure).collect::<Vec<_>>();
        match (self.bindings.is_empty(), failed.is_empty()) {
            (true, _) => None,
            (false, true) => Some(Ok(())),
            (false, false) => Some(Err(failed.join("; "))),
        }
    }

    fn new(content: Content, bytes: &[u8]) -> Self {
        Self { content, bytes: bytes.to_vec(), wrappings: Vec::new(), bindings: Vec::new() }
    }

    fn within(mut self, wrapping: Wrapping) -> Self {
        self.wrappings.push(wrapping);
        self
    }

    /// The first 32 bytes of REPORTDATA, where digests are put.
    fn report_data_digest(&self) -> Option<&[u8]> {
        self.content.report_data(&self.bytes)?.get(..32)
    }
}
