//! Documents, and records of checked ones.

use std::time::SystemTime;

use verify::Validity;

use crate::CollateralId;

/// The content of an item as a source sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// A PCK certificate: PEM. A CRL: DER. TCB info and enclave identities: JSON with its
    /// signature, to the byte.
    pub body: Vec<u8>,
    /// PEM: the certificates of the issuer, the root's last. Empty for the CRL of the root.
    pub issuer_chain: String,
}

/// A document that was checked: certificate chain, signature and dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The item.
    pub item: CollateralId,
    /// Its content.
    pub document: Document,
    /// The validity in the document.
    pub validity: Validity,
    /// The time of the fetch.
    pub fetched: SystemTime,
    /// The name of its source.
    pub source: String,
}
