//! PCK certificates and verification collateral: fetched, checked, cached.
//!
//! A [`CollateralId`] names an item, a [`Document`] is its content. A [`Source`] provides
//! documents: Intel's PCS, a PCCS, Azure's THIM ([`PcsSource`]), or a directory of files
//! ([`FileSource`]). A [`Fetcher`] asks several in turn and checks the documents. A [`Cache`]
//! stores them on disk and in memory, so that quotes do not wait for the network. [`for_quote`]
//! collects the items that a verifier of one quote needs.
//!
//! All functions block the caller until a deadline, and start no thread that outlives a request:
//! this crate is part of a library in other people's processes.

#![expect(
    clippy::disallowed_types,
    reason = "an application that forks copies parking_lot's table of waiting threads, perhaps locked"
)]

mod backoff;
mod bundle;
mod cache;
mod cache_directory;
mod check;
mod circuit_breaker;
mod collateral_file;
mod collateral_id;
mod document;
mod event;
mod fetch_error;
mod fetcher;
mod locks;
mod node_status;
mod open;
mod pck_contents;
mod pck_selection;
mod provider;
mod quote_collateral;
mod record_file;
mod refresh_policy;
mod revision;
pub mod settings;
mod single_flight;
mod source;

pub use backoff::Pause;
pub use bundle::{Bundle, BundleError, BundleRecord, Imported, write_bundle};
pub use cache::{Cache, InsertError};
pub use cache_directory::CacheDirectory;
pub use check::{CheckError, check};
pub use collateral_file::CollateralFileError;
pub use collateral_id::{CollateralId, PckCertificateRequest, TcbUpdate};
pub use document::{Document, Record};
pub use event::{Event, EventHandler};
pub use fetch_error::{Attempt, AttemptError, FetchError};
pub use fetcher::{Fetcher, RetryPolicy};
pub use node_status::{EvaluatedTcb, NodeStatus, node_statuses};
pub use open::OpenError;
pub use pck_contents::{PckContents, PckContentsError};
pub use pck_selection::{PckTcb, select_pck};
pub use provider::CollateralProvider;
pub use quote_collateral::{
    QuoteCollateralError, QuotedPck, QuotedPlatform, ServiceError, fetch, for_quote,
    platform_items, signed_json,
};
pub use record_file::RecordFileError;
pub use refresh_policy::RefreshPolicy;
pub use revision::Revision;
pub use settings::PcsKind;
pub use single_flight::{Permit, SingleFlight};
pub use source::{
    FileSource, PckList, PcsSource, PlatformIdentity, Source, SourceError, SourceOpenError,
};
