//! `/livez`, `/readyz` and `/startupz`: the process answers; quotes are made; clients were served.

mod canary_quoter;
mod proof;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use quoting::ServedQuoter;
use service::Metrics;
use tokio::sync::watch as channel;

use self::canary_quoter::CanaryQuoter;
use self::watch::Watch;

pub(super) use self::proof::Proof;

/// The reason until clients are served.
const STARTING: &str = "the service is starting";

#[derive(Clone)]
pub(super) struct Health {
    phase: Arc<channel::Sender<Phase>>,
    watch: Arc<Watch>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Starting,
    Serving,
    /// Clients are to go elsewhere, for this reason.
    Leaving(&'static str),
}

impl Health {
    /// The health of a service with this Quoter and this proof for its canary quotes. To be called
    /// within the runtime that serves.
    pub(super) fn new(quoter: Arc<dyn ServedQuoter>, proof: Proof, metrics: &Metrics) -> Self {
        let watch = Watch::start(CanaryQuoter { quoter, proof }, metrics);
        Self { phase: Arc::new(channel::Sender::new(Phase::Starting)), watch }
    }

    /// Clients are served from now on.
    pub(super) fn serving(&self) {
        self.phase.send_replace(Phase::Serving);
    }

    /// Clients are to go elsewhere from now on, for this reason.
    pub(super) fn leaving(&self, why: &'static str) {
        self.phase.send_replace(Phase::Leaving(why));
    }

    /// `/livez`, and `/readyz` and `/startupz`, which say why not.
    pub(super) fn router(&self) -> Router {
        let health = self.clone();
        let ready = async move || match health.ready().await {
            Ok(how) => (StatusCode::OK, format!("ready: {how}\n")),
            Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        };
        let health = self.clone();
        let started = async move || health.started();
        alive().route("/readyz", get(ready)).route("/startupz", get(started))
    }

    /// A service that has started once stays started, whatever becomes of it.
    fn started(&self) -> (StatusCode, &'static str) {
        let phase = *self.phase.borrow();
        match phase {
            Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, STARTING),
            Phase::Serving | Phase::Leaving(_) => (StatusCode::OK, "started\n"),
        }
    }

    /// The evidence that the service is ready, or the reason that it is not.
    async fn ready(&self) -> Result<String, String> {
        let phase = *self.phase.borrow();
        match phase {
            Phase::Starting => Err(STARTING.to_owned()),
            Phase::Serving => self.watch.outcome().await,
            Phase::Leaving(why) => Err(why.to_owned()),
        }
    }
}

/// The routes of an instance that will not serve, for this reason.
pub(super) fn of_refusal(reason: &str) -> Router {
    let reason: Arc<str> = format!("{reason}\n").into();
    let with = |status: StatusCode| {
        let reason = Arc::clone(&reason);
        get(async move || (status, reason.to_string()))
    };
    alive()
        .route("/readyz", with(StatusCode::SERVICE_UNAVAILABLE))
        .route("/startupz", with(StatusCode::INTERNAL_SERVER_ERROR))
}

fn alive() -> Router {
    Router::new().route("/livez", get(async || "alive\n"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use collateral_server::SoftwareCollateral;
    use quoting::SoftwareQuoter;
    use software_platform::{Deployment, MachineSecret, SoftwarePlatform, SubjectNames};
    use time::OffsetDateTime;
    use tower::ServiceExt;

    use super::*;

    async fn status(health: &Health, path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).unwrap();
        health.router().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn ready_is_who_serves_and_has_not_begun_to_leave() {
        let deployment =
            Deployment::generate(SubjectNames::Software, OffsetDateTime::now_utc()).unwrap();
        let secret = MachineSecret::generate().unwrap();
        let platform = Arc::new(SoftwarePlatform::new(deployment, secret).unwrap());
        let collateral = SoftwareCollateral::new(Arc::clone(&platform), OffsetDateTime::now_utc);
        let proof = Proof::of_software(&platform, Arc::new(collateral)).unwrap();
        let quoter = Arc::new(SoftwareQuoter::new(platform));
        let health = Health::new(quoter, proof, &Metrics::new("software"));
        assert_eq!(status(&health, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        health.serving();
        assert_eq!(status(&health, "/readyz").await, StatusCode::OK);
        health.leaving("the service is stopping");
        assert_eq!(health.ready().await, Err("the service is stopping".to_owned()));
        assert_eq!(status(&health, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(&health, "/livez").await, StatusCode::OK);
    }
}
