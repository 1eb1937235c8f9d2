//! PCK certificates and verification collateral over HTTP, in the form of the provisioning certification service
//! (PCS) API v4, which Intel's caching service (PCCS) has too: an unmodified verifier that is told to use this address
//! as its PCCS finds all it needs.
//!
//! [`router`] serves what a [`collateral::Source`] says, and no more. [`software_pcs_router`] serves a software platform
//! as a PCS. [`Server`] takes the place of a PCCS: it keeps what it has asked for, and platforms register with it. All
//! are to be served by an HTTP server with limits. GET, below `/sgx/certification/v4/`:
//!
//! | question | answer |
//! |---|---|
//! | `pckcert?qeid&cpusvn&pcesvn&pceid[&encrypted_ppid]` | PEM: PCK certificate |
//! | `pckcrl?ca=platform\|processor[&encoding=der\|pem]` | CRL; without encoding, hexadecimal DER |
//! | `pckcrl?uri[&encoding=der]` | PEM: the CRL at a distribution point, as Azure's client asks |
//! | `tcb?fmspc[&update=standard\|early \| &tcbEvaluationDataNumber]` | JSON: signed TCB info |
//! | `qe/identity`, `qve/identity` with the same selection | JSON: signed identity of the enclave |
//! | `rootcacrl` | the root's CRL, hexadecimal DER |
//! | `crl?uri` | DER: the CRL that a certificate's distribution point names |
//!
//! `tcb` and `qe/identity` are below `/tdx/certification/v4/`, too. The root's CRL is also at `/SGXRootCA.der` and
//! `/IntelSGXRootCA.der`, as DER. The issuer chains are in headers, as URL-encoded PEM. Where PCS and PCCS differ (a CRL without encoding,
//! `rootcacrl`), the answer is the PCCS's. A [`Server`] has besides:
//!
//! | request | token | what it does |
//! |---|---|---|
//! | `POST platforms[?update=standard\|early\|all]` | user | registers a platform |
//! | `GET platforms[?source=reg\|reg_na\|[FMSPC,…]]` | admin | lists platforms that have registered, or that are known |
//! | `PUT platformcollateral` | admin | brings certificates and collateral |
//! | `GET`, `POST refresh[?type=certs&fmspc]` | admin | fetches again |
//! | `PUT appraisalpolicy` | admin | keeps the default appraisal policy of a kind of platform |
//! | `GET appraisalpolicy?fmspc` | none | the default policy |
//!
//! Statuses: 200, 202 (a refresh goes on), 400 (the request is wrong), 401 (the token is), 404 (nothing known), 405
//! (another method), 409 (another platform has this QE id), 410 (v3 of the API), 413 (body too large), 429 (too much is
//! asked for that is not kept), 431 (header too large), 460 (what was brought does not hold), 461 (platform unknown), 462
//! (no certificate at this TCB), 500, 502 (the sources are in trouble), 503 (not now).

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
