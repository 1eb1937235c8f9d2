//! A service to measure, and a request for it.

use tempfile::TempDir;

use crate::quote_service::{QuoteRequest, QuoteService};

/// A service in a directory of its own, and a request for one of its quotes.
pub(crate) struct Setup {
    pub(crate) service: QuoteService,
    pub(crate) quote: QuoteRequest,
    _directory: TempDir,
}

impl Setup {
    /// Starts a service with these arguments.
    pub(crate) fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let service = QuoteService::start(directory.path(), arguments)?;
        let quote = QuoteRequest::prepare(&service)?;
        Ok(Self { service, quote, _directory: directory })
    }
}
