//! Responses to requests for documents: from memory, else from the backend.

mod error;
mod request;
mod response;
mod response_cache;

use std::sync::Arc;
use std::time::Instant;

use collateral::{CollateralId, Document, Source};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

pub(crate) use self::error::ApiError;
pub(crate) use self::request::{ApiRequest, Encoding};
pub(crate) use self::response::{
    CA_TYPE, CachedResponse, ENCODED_IN_HEADER, FMSPC, JSON, PCK_CERTIFICATE_CHAIN,
};
use self::response_cache::{CacheLookup, ResponseCache};
use crate::backend::{Backend, BackendError, REQUEST_TIMEOUT, deadline};
use crate::client::Client;
use crate::metrics::{Lookup, Metrics};

/// Maximum cache misses in flight. Each has a thread; half of the runtime's blocking threads are
/// left for probes and administration.
const MAX_MISSES: usize = 256;

/// Finds a document for a client before a deadline.
type Find = dyn Fn(&CollateralId, Client, Instant) -> Result<Document, BackendError> + Send + Sync;

/// Answers requests for documents. Clones share everything.
#[derive(Clone)]
pub(crate) struct Api {
    find: Arc<Find>,
    /// `None` where documents are made as fast as they are cached, and may change at any time.
    cache: Option<Arc<ResponseCache>>,
    /// Permits for cache misses.
    misses: Arc<Semaphore>,
    metrics: Metrics,
}

impl Api {
    /// Answers with the current documents of this source.
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        let misses = Arc::new(Semaphore::new(MAX_MISSES));
        let find =
            Arc::new(move |item: &CollateralId, _, deadline| Ok(source.fetch(item, deadline)?));
        Self { find, cache: None, misses, metrics: Metrics::default() }
    }

    /// Answers with the documents of this backend, which may be a second old.
    pub(crate) fn with_cache(backend: Arc<Backend>, metrics: Metrics) -> Self {
        let misses = Arc::new(Semaphore::new(MAX_MISSES));
        let find = Arc::new(move |item: &CollateralId, client, deadline| {
            backend.find(item, client, deadline)
        });
        Self { find, cache: Some(Arc::default()), misses, metrics }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Empties the cache of responses.
    pub(crate) fn clear_cache(&self) {
        if let Some(cache) = &self.cache {
            cache.clear();
        }
    }

    /// The response to a request. Waits for disk and network happen on blocking threads.
    pub(crate) async fn respond(
        &self,
        request: ApiRequest,
        client: Client,
    ) -> Result<CachedResponse, ApiError> {
        let lookup = self.cache.as_ref().map(|cache| cache.get(&request.key()));
        match lookup.unwrap_or(CacheLookup::Miss) {
            CacheLookup::Fresh(response) => {
                self.metrics.count_lookup(Lookup::Hit);
                Ok(response)
            }
            CacheLookup::Stale(response) => {
                self.metrics.count_lookup(Lookup::Hit);
                let api = self.clone();
                spawn_blocking(move || api.find(&request, client));
                Ok(response)
            }
            CacheLookup::Miss => {
                self.metrics.count_lookup(Lookup::Miss);
                let busy = || ApiError::Unavailable("too many requests wait".to_owned());
                let permit = timeout(REQUEST_TIMEOUT, Arc::clone(&self.misses).acquire_owned());
                let permit = permit.await.map_err(|_| busy())?.map_err(|_| busy())?;
                let api = self.clone();
                blocking(move || {
                    let found = api.find(&request, client);
                    drop(permit);
                    found
                })
                .await
            }
        }
    }

    /// Finds a document, and caches the response.
    fn find(&self, request: &ApiRequest, client: Client) -> Result<CachedResponse, ApiError> {
        let document = (self.find)(&request.item, client, deadline())?;
        let response = CachedResponse::new(request, document)?;
        if let Some(cache) = &self.cache {
            cache.insert(request.key(), response.clone());
        }
        Ok(response)
    }
}

/// Runs work that blocks on a thread for such work.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let panicked = |error: JoinError| ApiError::Internal(error.to_string());
    spawn_blocking(work).await.map_err(panicked)?
}
