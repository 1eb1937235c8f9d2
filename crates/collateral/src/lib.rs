//! PCK certificates and verification collateral: fetched, checked, kept.
//!
//! An [`CollateralId`] is what can be asked for, a [`Document`] what is answered. A [`Source`] is asked: Intel's PCS, a
//! PCCS, Azure's THIM ([`PcsSource`]), or a directory of files ([`FileSource`]). A [`Fetcher`] asks several, one
//! after the other, and checks what they say. A [`Cache`] keeps it on disk and in memory, so that the network is not
//! in the road of a quote. [`for_quote`] puts together what a verifier needs for one quote.
//!
//! Everything here waits in the caller's thread, with a deadline, and starts no thread that lives longer than a
//! question: this crate is part of a library that lives in other people's processes.

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
    QuoteCollateralError, QuotedPck, QuotedPlatform, ServiceError, fetch, for_quote, platform_items,
};
pub use record_file::RecordFileError;
pub use refresh_policy::RefreshPolicy;
pub use revision::Revision;
pub use single_flight::{Permit, SingleFlight};
pub use source::{
    FileSource, PckList, PcsKind, PcsSource, PlatformIdentity, Source, SourceError, SourceOpenError,
};
