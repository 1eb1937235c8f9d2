//! An answer, and what is kept of it.

use std::time::SystemTime;

use verify::Validity;

use crate::CollateralId;

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// A PCK certificate: PEM. A CRL: DER. TCB info and enclave identities: JSON with its signature,
    /// to the byte.
    pub body: Vec<u8>,
    /// PEM: the certificates of the issuer, the root's last. Empty for the CRL of the root.
    pub issuer_chain: String,
}

/// A document that was checked: certificate chain, signature and dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it answers.
    pub item: CollateralId,
    /// The answer.
    pub document: Document,
    /// From when to when it is valid, as it says itself.
    pub validity: Validity,
    /// When it was fetched.
    pub fetched: SystemTime,
    /// The name of the source that it came from.
    pub source: String,
}
