//! PCK certificates and verification collateral over HTTP, with the provisioning certification
//! service (PCS) API v4 that Intel's caching service (PCCS) has, too: verifiers use it unmodified
//! as their PCCS.
//!
//! [`router`] serves a [`collateral::Source`]. [`software_pcs_router`] serves a software platform
//! as a PCS. [`Server`] is a drop-in replacement for a PCCS: it caches items, and platforms
//! register with it. Serve all of them with an HTTP server with limits. GET, below
//! `/sgx/certification/v4/`:
//!
//! | request | response |
//! |---|---|
//! | `pckcert?qeid&cpusvn&pcesvn&pceid[&encrypted_ppid]` | PEM: PCK certificate |
//! | `pckcrl?ca=platform\|processor[&encoding=der\|pem]` | CRL; without encoding, hexadecimal DER |
//! | `pckcrl?uri[&encoding=der]` | PEM: the CRL at a distribution point, for Azure's client |
//! | `tcb?fmspc[&update=standard\|early \| &tcbEvaluationDataNumber]` | JSON: signed TCB info |
//! | `qe/identity`, `qve/identity` with the same selection | JSON: signed identity of the enclave |
//! | `rootcacrl` | the root's CRL, hexadecimal DER |
//! | `crl?uri` | DER: the CRL at a certificate's distribution point |
//!
//! `tcb` and `qe/identity` are also below `/tdx/certification/v4/`. The root's CRL is also at
//! `/SGXRootCA.der` and `/IntelSGXRootCA.der`, as DER. The issuer chains are in headers, as
//! URL-encoded PEM. Where PCS and PCCS differ (a CRL without encoding, `rootcacrl`), the response
//! is that of a PCCS. Additional requests to a [`Server`]:
//!
//! | request | token | effect |
//! |---|---|---|
//! | `POST platforms[?update=standard\|early\|all]` | user | registers a platform |
//! | `GET platforms[?source=reg\|reg_na\|[FMSPC,…]]` | admin | lists registered or known platforms |
//! | `PUT platformcollateral` | admin | stores certificates and collateral |
//! | `GET`, `POST refresh[?type=certs&fmspc]` | admin | refetches |
//! | `PUT appraisalpolicy` | admin | stores the default appraisal policy of an FMSPC |
//! | `GET appraisalpolicy?fmspc` | none | the default policy |
//!
//! Statuses: 200, 202 (a refresh continues), 400 (invalid request), 401 (missing or wrong token),
//! 404 (nothing known), 405 (another method), 409 (another platform has this QE id), 410 (v3 of the
//! API), 413 (body too large), 429 (rate limit), 431 (header too large), 460 (invalid upload), 461
//! (unknown platform), 462 (no certificate at this TCB), 500, 502 (the sources failed), 503 (not
//! now).

mod admin;
mod api;
mod backend;
mod client;
mod log_limit;
mod metrics;
mod mode;
mod platform_name;
mod platform_store;
mod rate_limiter;
mod refresh;
mod router;
mod server;
mod software_collateral;
mod software_pcs;
mod tls;
mod tokens;

pub use mode::Mode;
pub use platform_store::StoreError;
pub use refresh::{log_event, refresh_due};
pub use router::router;
pub use server::{Options, Refresher, Server, ServerError};
pub use software_collateral::SoftwareCollateral;
pub use software_pcs::software_pcs_router;
pub use tls::{ServingCertificate, TlsError};
pub use tokens::{TokenFileError, TokenHash, Tokens};
