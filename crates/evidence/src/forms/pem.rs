//! PEM: certificates, and sections with any other label.

use ::pem::Pem;

use crate::Evidence;
use crate::error::{Problem, ReadError};
use crate::reader::{Reader, wrapped};
use crate::wrapping::Wrapping;

/// Reads the first certificate, or the first section if there is none: in a chain, the first
/// certificate is the one of the attester. `None` if the text has no section.
pub(crate) fn read(reader: Reader, text: &str) -> Option<Result<Evidence, ReadError>> {
    text.contains("-----BEGIN ").then(|| read_sections(reader, text))
}

fn read_sections(reader: Reader, text: &str) -> Result<Evidence, ReadError> {
    let sections = ::pem::parse_many(text).map_err(|error| malformed(&error.to_string()))?;
    let is_certificate = |section: &&Pem| section.tag() == "CERTIFICATE";
    let section = sections
        .iter()
        .find(is_certificate)
        .or(sections.first())
        .ok_or_else(|| malformed("no section is whole"))?;
    let wrapping = Wrapping::Pem(section.tag().to_owned());
    let read = reader.inner().and_then(|inner| inner.read_binary(section.contents()));
    wrapped(read, wrapping)
}

fn malformed(reason: &str) -> ReadError {
    Problem::Malformed { form: "the PEM", reason: reason.to_owned() }.into()
}
