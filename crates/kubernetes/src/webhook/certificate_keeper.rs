//! Keeps the certificates: in the Secret, in what is shown, and in what the API server trusts.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kube::{Api, Client};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::authority_bundle::AuthorityBundle;
use super::certificate::{IssueError, Next, ServiceName, next, stored};
use super::metrics::Metrics;
use super::secret::{self, SharedSecret};
use super::server_clock::{ClockDoubt, ServerTime};
use super::serving::Serving;
use super::{Clock, Options};

/// How often it is looked whether something is to be done, or has been done by another replica.
const PERIOD: Duration = Duration::from_secs(60);
/// The pause after something went wrong.
const PAUSE: Duration = Duration::from_secs(5);
/// The time for all that a look asks of the API server.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often replicas may be in each other's way in one look.
const ATTEMPTS: u32 = 5;

pub(crate) struct CertificateKeeper {
    client: Client,
    secret: SharedSecret,
    bundle: AuthorityBundle,
    service: ServiceName,
    clock: Clock,
    serving: Arc<Serving>,
    metrics: Metrics,
}

/// Why certificates are not as they should be.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(
        "cannot get or set the Secret {name:?}: {source} (getting, creating and updating it must be allowed)"
    )]
    Secret { name: String, source: kube::Error },
    #[error(
        "cannot get or patch the MutatingWebhookConfiguration {name:?}: {source} (getting and patching it must \
         be allowed)"
    )]
    Configuration { name: String, source: kube::Error },
    #[error(
        "there is no MutatingWebhookConfiguration {0:?}, by which the API server would know of this webhook; \
         `quote-helper install` makes it, or say its name with --webhook-name"
    )]
    NoConfiguration(String),
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error("cannot ask the API server for its time: {0}")]
    Time(kube::Error),
    #[error(
        "there are no valid certificates, and none are made here: this machine's clock is {0}; set it, or wait \
         for another replica"
    )]
    Clock(ClockDoubt),
    #[error("other replicas keep changing the Secret {0:?}")]
    Contended(String),
    #[error("the API server does not answer")]
    NoAnswer,
}

impl CertificateKeeper {
    pub(crate) fn new(options: Options, serving: Arc<Serving>, metrics: Metrics) -> Self {
        let Options { client, service, secret, configuration, clock, .. } = options;
        let secrets = Api::namespaced(client.clone(), &service.namespace);
        let secret = SharedSecret { secrets, name: secret };
        let bundle =
            AuthorityBundle { configurations: Api::all(client.clone()), name: configuration };
        Self { client, secret, bundle, service, clock, serving, metrics }
    }

    /// Looks after the certificates, without end. The log hears of each problem once.
    pub(crate) async fn keep(&self) -> Infallible {
        let mut last_problem = None;
        loop {
            let looked = timeout(TIMEOUT, self.look()).await.unwrap_or(Err(KeepError::NoAnswer));
            let (problem, pause) = match looked {
                Ok(doubt) => {
                    self.metrics.ready();
                    (doubt.map(in_doubt), PERIOD)
                }
                Err(error) => {
                    self.metrics.not_ready_yet(&error.to_string());
                    (Some(error.to_string()), PAUSE)
                }
            };
            match &problem {
                Some(problem) if last_problem.as_ref() != Some(problem) => warn!("{problem}"),
                None if last_problem.is_some() => {
                    info!("the certificates are as they should be again");
                }
                _ => {}
            }
            last_problem = problem;
            sleep(pause).await;
        }
    }

    /// Uses what is stored, and renews it if it is time. Returns why nothing is renewed here.
    async fn look(&self) -> Result<Option<ClockDoubt>, KeepError> {
        let time = ServerTime::ask(&self.client, (self.clock)()).await.map_err(KeepError::Time)?;
        for _ in 0..ATTEMPTS {
            let Some(Next { material, leaf, .. }) = self.settle(&time).await? else { continue };
            self.metrics.certificate_expires(leaf.validity.end);
            self.serving.show(leaf.certified);
            self.publish(&material.authorities, time.now).await?;
            return Ok(time.doubt);
        }
        Err(KeepError::Contended(self.secret.name.clone()))
    }

    /// What is to be used, and is in the Secret; nothing if another replica has changed that meanwhile.
    async fn settle(&self, time: &ServerTime) -> Result<Option<Next>, KeepError> {
        let loaded = self.secret.load().await.map_err(|source| self.secret_error(source))?;
        let material = loaded.as_ref().and_then(secret::material);
        if let Some(doubt) = time.doubt {
            let stored = material.and_then(|it| stored(&it, &self.service, time.now));
            return stored.map(Some).ok_or(KeepError::Clock(doubt));
        }
        let next = next(material.as_ref(), &self.service, time.now)?;
        let Some(change) = &next.change else { return Ok(Some(next)) };
        let is_stored = self.secret.store(loaded, &next.material).await;
        if !is_stored.map_err(|source| self.secret_error(source))? {
            return Ok(None);
        }
        info!("new certificates in the Secret {:?}: {change}", self.secret.name);
        Ok(Some(next))
    }

    async fn publish(&self, authorities: &str, now: SystemTime) -> Result<(), KeepError> {
        let name = || self.bundle.name.clone();
        match self.bundle.publish(authorities, now).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(KeepError::NoConfiguration(name())),
            Err(source) => Err(KeepError::Configuration { name: name(), source }),
        }
    }

    fn secret_error(&self, source: kube::Error) -> KeepError {
        KeepError::Secret { name: self.secret.name.clone(), source }
    }
}

fn in_doubt(doubt: ClockDoubt) -> String {
    format!(
        "this machine's clock is {doubt}: certificates are not renewed here, but by replicas on other nodes; set \
         the clock"
    )
}
