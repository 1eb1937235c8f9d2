//! The whole server: the questions that anybody may ask, administration, and what keeps it fresh.

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
use collateral::settings::Settings;
use http_server::Index;
use private_directory::NotPrivate;

use crate::admin::Admin;
use crate::api::{Api, Backend, blocking};
use crate::index::SERVER;
use crate::keeper::{Keeper, KeeperError};
use crate::metrics::Metrics;
use crate::mode::Mode;
use crate::router::{finished, readers};
use crate::tokens::Tokens;
use crate::upkeep::refresh_due;

/// The name of the database in the state directory.
const DATABASE: &str = "platforms.redb";
/// How often it is looked what is to be fetched again.
const ROUND: Duration = Duration::from_secs(600);

/// How long a round that is under way is waited for at the end.
const GRACE: Duration = Duration::from_secs(1);

/// What a server needs.
pub struct Options {
    /// How it gets what it does not have.
    pub mode: Mode,
    /// The directory of its database, which is made if it is not there.
    pub state_dir: PathBuf,
    /// Its sources, its cache, and the root it trusts.
    pub settings: Settings,
    /// Who may register platforms, and who may administer.
    pub tokens: Tokens,
}

/// A server that caches what it has asked for, in the place of a PCCS.
pub struct Server {
    keeper: Arc<Keeper>,
    api: Api,
    admin: Admin,
}

/// The server cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// There is no directory for its database.
    #[error("cannot make the state directory {path}: {reason}")]
    StateDir {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// Others could change its database.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// What it keeps cannot be opened, or the settings cannot be used.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
}

/// Fetches again what is due, until it is dropped. A round that is under way then has a second to end; after that it
/// ends by itself.
#[derive(Debug)]
pub struct Refresher {
    stop: Option<mpsc::Sender<()>>,
    ended: mpsc::Receiver<()>,
}

impl Server {
    /// Opens what the server keeps. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ServerError`]; nothing that was kept is changed.
    pub fn open(options: Options) -> Result<Self, ServerError> {
        let Options { mode, state_dir, settings, tokens } = options;
        private_directory::make(&state_dir)
            .map_err(|reason| ServerError::StateDir { path: state_dir.clone(), reason })?;
        let database = state_dir.join(DATABASE);
        [&state_dir, &database].into_iter().try_for_each(|path| private_directory::check(path))?;
        let metrics = Metrics::default();
        let keeper = Keeper::open(mode, &settings, &database, &metrics)?;
        let keeper = Arc::new(keeper);
        let backend: Arc<dyn Backend> = Arc::<Keeper>::clone(&keeper);
        let api = Api::with_memory(backend, metrics);
        let admin = Admin::new(Arc::clone(&keeper), api.clone(), tokens);
        Ok(Self { keeper, api, admin })
    }

    /// The API, to be served by an HTTP server with limits on what a client can hold or take.
    pub fn router(&self) -> Router {
        finished(readers(&self.api).merge(self.admin.routes()), self.api.metrics(), SERVER)
    }

    /// `/metrics`; `/livez`; and `/readyz`, which tells what is not as it should be.
    pub fn metrics_router(&self) -> Router {
        let routes = Router::new()
            .route("/metrics", get(counted))
            .route("/livez", get(async || "alive\n"))
            .route("/readyz", get(ready));
        let index = Index::of_metrics("quote-helper collateral serve: metrics and health");
        index.on(routes).with_state((Arc::clone(&self.keeper), self.api.metrics().clone()))
    }

    /// Asks for these tokens from now on, and says whether they are others.
    pub fn set_tokens(&self, tokens: Tokens) -> bool {
        self.admin.set_tokens(tokens)
    }

    /// Fetches again what is due, now and then, in a thread of its own.
    ///
    /// # Errors
    /// Those of the operating system about threads.
    pub fn start_refreshing(&self) -> std::io::Result<Refresher> {
        let (keeper, metrics) = (Arc::clone(&self.keeper), self.api.metrics().clone());
        let (stop, stopped) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        thread::Builder::new().name("refresher".to_owned()).spawn(move || {
            refresh(&keeper, &metrics);
            while stopped.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
                refresh(&keeper, &metrics);
            }
            // The database is closed when nobody has it any more.
            drop(keeper);
            drop(end);
        })?;
        Ok(Refresher { stop: Some(stop), ended })
    }
}

type Observed = State<(Arc<Keeper>, Metrics)>;

async fn counted(State((keeper, metrics)): Observed, request: HeaderMap) -> impl IntoResponse {
    let platforms = blocking(move || Ok(keeper.store().count().ok())).await;
    if let Ok(Some(platforms)) = platforms {
        metrics.know(platforms);
    }
    http_server::metrics(&request, metrics.registry())
}

async fn ready(State((keeper, _)): Observed) -> (StatusCode, String) {
    let problem = blocking(move || Ok(keeper.problem())).await;
    match problem.unwrap_or_else(|_| Some("it could not be found out".to_owned())) {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    }
}

fn refresh(keeper: &Keeper, metrics: &Metrics) {
    if keeper.mode().asks() {
        refresh_due(keeper.cache());
    }
    match keeper.cache().records() {
        Ok(records) => metrics.keep(&records),
        Err(error) => tracing::error!(%error, "the cache cannot be read"),
    }
    match keeper.tcb_statuses() {
        Ok(statuses) => metrics.stand(statuses),
        Err(error) => tracing::error!(%error, "the platforms' TCB is not known"),
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        self.stop.take();
        // Either it has ended, or it has had its time.
        let _ = self.ended.recv_timeout(GRACE);
    }
}
