//! Verification collateral over HTTP, in the form of the provisioning certification service (PCS)
//! API v4, which Intel's caching service (PCCS) has too: an unmodified verifier that is told to use
//! this address as its PCCS finds all it needs.
//!
//! What the answers say comes from a [`PcsSource`]; this crate only reads the questions and writes
//! the answers; [`router`] is to be served by an HTTP server with limits. GET, below `/sgx/certification/v4/`:
//!
//! | question | answer |
//! |---|---|
//! | `pckcert?qeid&cpusvn&pcesvn&pceid[&encrypted_ppid]` | PEM: PCK certificate |
//! | `pckcrl?ca=platform\|processor[&encoding=der\|pem]` | CRL; without encoding, hexadecimal DER |
//! | `tcb?fmspc[&update=standard\|early \| &tcbEvaluationDataNumber]` | JSON: signed TCB info |
//! | `qe/identity` with the same selection | JSON: signed QE identity |
//! | `rootcacrl` | the root's CRL, hexadecimal DER |
//! | `crl?uri` | DER: the CRL that a certificate's distribution point names |
//!
//! The root's CRL is also at `/SGXRootCA.der`, as DER. The issuer chains are in headers, as
//! URL-encoded PEM. Where PCS and PCCS differ (a CRL without encoding, `rootcacrl`), the answer is
//! the PCCS's. Statuses: 200, 400 (a parameter is wrong), 404 (nothing known), 405 (not GET), 410
//! (v3 of the API), 431 (header too large), 461 and 462 ([`PcsError`]), 500.
//!
//! The other side is [`fetch`], which asks a PCCS, this one or another, or Intel's PCS.

mod answer;
mod client;
mod query;
mod router;
mod software;
mod source;

pub use client::{FetchError, fetch};
pub use router::router;
pub use software::SoftwareCollateral;
pub use source::{
    EvaluationSet, PckAnswer, PckCa, PckCrl, PckQuestion, PcsError, PcsSource, SignedJson,
};
