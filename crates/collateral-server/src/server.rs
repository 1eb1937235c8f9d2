//! The whole server: the API, administration, and the refresh of its cache.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use collateral::OpenError;
use collateral::settings::Settings;
use http_server::Index;
use private_directory::NotPrivate;

use crate::admin::Admin;
use crate::api::{Api, blocking};
use crate::backend::Backend;
use crate::metrics::Metrics;
use crate::mode::Mode;
use crate::platform_store::{PlatformStore, StoreError};
use crate::refresh::refresh_due;
use crate::router::{SERVER, finished, readers};
use crate::tokens::Tokens;

/// The database in the state directory.
const DATABASE: &str = "platforms.redb";
/// Interval between rounds of refreshing.
const REFRESH_INTERVAL: Duration = Duration::from_secs(600);
/// Maximum wait for a round in progress at the end.
const GRACE: Duration = Duration::from_secs(1);

/// The options of a server.
pub struct Options {
    /// The time at which the server fetches missing items.
    pub mode: Mode,
    /// The directory of the database, created if it does not exist.
    pub state_dir: PathBuf,
    /// The sources, the cache, and the trusted root.
    pub settings: Settings,
    /// The tokens for registration and administration.
    pub tokens: Tokens,
}

/// A caching server, a drop-in replacement for a PCCS.
pub struct Server {
    backend: Arc<Backend>,
    api: Api,
    admin: Admin,
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The directory of the database cannot be created.
    #[error("cannot make the state directory {path}: {reason}")]
    StateDir {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        reason: std::io::Error,
    },
    /// Other users could change the database.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// The settings name something unusable.
    #[error(transparent)]
    Settings(#[from] OpenError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The thread that refreshes the cache. Dropping this stops it, after at most a second's wait for
/// a round in progress.
#[derive(Debug)]
pub struct Refresher {
    stop: Option<mpsc::Sender<()>>,
    ended: mpsc::Receiver<()>,
}

impl Server {
    /// Opens the database, the cache and the sources, without a request to any.
    ///
    /// # Errors
    /// [`ServerError`]; nothing stored is changed.
    pub fn open(options: Options) -> Result<Self, ServerError> {
        let Options { mode, state_dir, settings, tokens } = options;
        private_directory::make(&state_dir)
            .map_err(|reason| ServerError::StateDir { path: state_dir.clone(), reason })?;
        let database = state_dir.join(DATABASE);
        [&state_dir, &database].into_iter().try_for_each(|path| private_directory::check(path))?;
        let metrics = Metrics::default();
        let store = PlatformStore::open(&database)?;
        let backend = Arc::new(Backend::open(mode, &settings, store, &metrics)?);
        let api = Api::with_cache(Arc::clone(&backend), metrics);
        let admin = Admin::new(Arc::clone(&backend), api.clone(), tokens);
        Ok(Self { backend, api, admin })
    }

    /// The API. Serve it with a server that limits connections and headers.
    pub fn router(&self) -> Router {
        finished(readers(&self.api).merge(self.admin.routes()), self.api.metrics(), SERVER)
    }

    /// `/metrics`; `/livez`; and `/readyz`, which reports problems.
    pub fn metrics_router(&self) -> Router {
        let routes = Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", get(async || "alive\n"))
            .route("/readyz", get(ready));
        let index = Index::of_metrics("quote-helper collateral serve: metrics and health");
        index.on(routes).with_state((Arc::clone(&self.backend), self.api.metrics().clone()))
    }

    /// Replaces the tokens; returns `true` if they differ.
    pub fn set_tokens(&self, tokens: Tokens) -> bool {
        self.admin.set_tokens(tokens)
    }

    /// Starts the thread that refreshes the cache and the metrics about it.
    ///
    /// # Errors
    /// Those of the operating system about threads.
    pub fn start_refreshing(&self) -> std::io::Result<Refresher> {
        let (backend, metrics) = (Arc::clone(&self.backend), self.api.metrics().clone());
        let (stop, stopped) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        thread::Builder::new().name("refresher".to_owned()).spawn(move || {
            refresh(&backend, &metrics);
            while stopped.recv_timeout(REFRESH_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                refresh(&backend, &metrics);
            }
            // Closes the database before the end is reported.
            drop(backend);
            drop(end);
        })?;
        Ok(Refresher { stop: Some(stop), ended })
    }
}

type Observed = State<(Arc<Backend>, Metrics)>;

async fn metrics(State((backend, metrics)): Observed, request: HeaderMap) -> impl IntoResponse {
    let platforms = blocking(move || Ok(backend.store().count().ok())).await;
    if let Ok(Some(platforms)) = platforms {
        metrics.set_platform_count(platforms);
    }
    http_server::metrics(&request, metrics.registry())
}

async fn ready(State((backend, _)): Observed) -> (StatusCode, String) {
    let problem = blocking(move || Ok(backend.problem())).await;
    match problem.unwrap_or_else(|_| Some("the check of the server's state failed".to_owned())) {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    }
}

fn refresh(backend: &Backend, metrics: &Metrics) {
    if backend.mode().may_fetch() {
        refresh_due(backend.cache());
    }
    match backend.cache().records() {
        Ok(records) => metrics.set_expiries(&records),
        Err(error) => tracing::error!(%error, "cannot read the cache"),
    }
    match backend.tcb_statuses() {
        Ok(statuses) => metrics.set_tcb_statuses(statuses),
        Err(error) => tracing::error!(%error, "cannot determine the TCB statuses of the platforms"),
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        self.stop.take();
        // An error means that the thread has ended, or that its time is up.
        let _ = self.ended.recv_timeout(GRACE);
    }
}
