//! Quotes in the forms in which files hold them.
//!
//! [`Evidence::read`] finds the quote in the bytes of a file and lists its wrappings: hexadecimal
//! or base64, JSON, an RA-TLS certificate, a header of the Open Enclave SDK, or padding with zeros.
//! Wrappings nest up to [`MAX_DEPTH`].
//!
//! Some wrappings carry data that REPORTDATA should bind, such as the key of a certificate:
//! [`Evidence::bindings`]. The quote's signature is not checked here, and a binding proves nothing
//! until the crate `verify` has checked it.
//!
//! Order of recognition of binary data: headers of Open Enclave, structures of a fixed size,
//! quotes, EPID quotes, DER certificates, CBOR evidence; of text: JSON, hexadecimal, hex dumps,
//! PEM, base64.

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

/// A quote or another structure, and its wrappings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The kind of structure.
    pub content: Content,
    /// The bytes of the structure, without wrappings and padding.
    pub bytes: Vec<u8>,
    /// The wrappings, from the innermost to the outermost.
    pub wrappings: Vec<Wrapping>,
    /// Checks of the data that came with the quote against REPORTDATA.
    pub bindings: Vec<Binding>,
}

impl Evidence {
    /// Finds the quote in the bytes of a file.
    ///
    /// # Errors
    /// [`ReadError`] names the kind of the bytes, or the damage.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        recognition::read_file(bytes)
    }

    /// The same, but only for a quote that a remote party can verify.
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

    /// The reason that a remote party cannot verify this; `None` for a quote that it can verify.
    #[must_use]
    pub fn not_verifiable(&self) -> Option<NotVerifiable> {
        match self.content {
            Content::Quote { .. } => None,
            Content::EpidQuote { version } => Some(NotVerifiable::Epid { version }),
            Content::LocalReport => Some(NotVerifiable::LocalReport),
            Content::Structure => Some(NotVerifiable::NoQuote { size: self.bytes.len() }),
        }
    }

    /// The wrappings as text, such as `base64, in JSON field quote`; `None` without wrappings.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        wrapping::origin(&self.wrappings)
    }

    /// All bindings combined: `None` without any, an error if one fails.
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

    /// The first 32 bytes of REPORTDATA, which hold digests.
    fn report_data_digest(&self) -> Option<&[u8]> {
        quote_bytes::report_data(self.content, &self.bytes)?.get(..32)
    }
}
