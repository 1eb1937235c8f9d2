//! Keeps the Secret, the served certificate and the API server's trusted authorities up to date.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kube::{Api, Client};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::authority_bundle::AuthorityBundle;
use super::certificate::{ActiveCertificates, IssueError, ServiceName, rotate, stored};
use super::metrics::Metrics;
use super::secret::{self, SharedSecret};
use super::served_certificate::ServedCertificate;
use super::server_clock::{ClockSkew, ServerTime};
use super::{Clock, Options};

/// The interval of checks for renewal and for changes by other replicas.
const PERIOD: Duration = Duration::from_secs(60);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(5);
/// The timeout of a check.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The maximum number of conflicts with other replicas in a check.
const ATTEMPTS: u32 = 5;

pub(crate) struct CertificateManager {
    client: Client,
    secret: SharedSecret,
    bundle: AuthorityBundle,
    service: ServiceName,
    clock: Clock,
    served: Arc<ServedCertificate>,
    metrics: Metrics,
}

/// A failed check.
#[derive(Debug, thiserror::Error)]
enum CertificateError {
    #[error(
        "cannot get or set the Secret {name:?}: {source} (the permissions to get, create and \
         update it are needed)"
    )]
    Secret { name: String, source: kube::Error },
    #[error(
        "cannot get or patch the MutatingWebhookConfiguration {name:?}: {source} (the permissions \
         to get and patch it are needed)"
    )]
    Configuration { name: String, source: kube::Error },
    #[error(
        "there is no MutatingWebhookConfiguration {0:?} through which the API server finds this \
         webhook; `quote-helper install` creates it, or set its name with --webhook-name"
    )]
    NoConfiguration(String),
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error("cannot ask the API server for its time: {0}")]
    Time(kube::Error),
    #[error(
        "there are no valid certificates, and none are issued here: this machine's clock is {0}; \
         set it, or wait for another replica"
    )]
    Clock(ClockSkew),
    #[error("other replicas keep changing the Secret {0:?}")]
    Contended(String),
    #[error("the API server does not answer")]
    Timeout,
}

impl CertificateManager {
    pub(crate) fn new(options: Options, served: Arc<ServedCertificate>, metrics: Metrics) -> Self {
        let Options { client, service, secret, configuration, clock, .. } = options;
        let secrets = Api::namespaced(client.clone(), &service.namespace);
        let secret = SharedSecret { secrets, name: secret };
        let bundle =
            AuthorityBundle { configurations: Api::all(client.clone()), name: configuration };
        Self { client, secret, bundle, service, clock, served, metrics }
    }

    /// Checks the certificates forever. Each new problem is logged.
    pub(crate) async fn run(&self) -> Infallible {
        let mut last_problem = None;
        loop {
            let looked =
                timeout(TIMEOUT, self.reconcile()).await.unwrap_or(Err(CertificateError::Timeout));
            let (problem, pause) = match looked {
                Ok(skew) => {
                    self.metrics.ready();
                    (skew.map(skew_warning), PERIOD)
                }
                Err(error) => {
                    self.metrics.not_ready_yet(&error.to_string());
                    (Some(error.to_string()), PAUSE)
                }
            };
            match &problem {
                Some(problem) if last_problem.as_ref() != Some(problem) => warn!("{problem}"),
                None if last_problem.is_some() => {
                    info!("the certificates are up to date again");
                }
                _ => {}
            }
            last_problem = problem;
            sleep(pause).await;
        }
    }

    /// Serves the stored certificates, and renews them if they are due. Returns the clock skew that
    /// prevents a renewal.
    async fn reconcile(&self) -> Result<Option<ClockSkew>, CertificateError> {
        let time =
            ServerTime::ask(&self.client, (self.clock)()).await.map_err(CertificateError::Time)?;
        for _ in 0..ATTEMPTS {
            let Some(ActiveCertificates { material, leaf, .. }) = self.load_or_renew(&time).await?
            else {
                continue;
            };
            self.metrics.certificate_expires(leaf.validity.end);
            self.served.show(leaf.certified);
            self.publish(&material.authorities, time.now).await?;
            return Ok(time.skew);
        }
        Err(CertificateError::Contended(self.secret.name.clone()))
    }

    /// The certificates to use, which are stored in the Secret; `None` if another replica has
    /// changed it meanwhile.
    async fn load_or_renew(
        &self,
        time: &ServerTime,
    ) -> Result<Option<ActiveCertificates>, CertificateError> {
        let loaded = self.secret.load().await.map_err(|source| self.secret_error(source))?;
        let material = loaded.as_ref().and_then(secret::material);
        if let Some(skew) = time.skew {
            let stored = material.and_then(|it| stored(&it, &self.service, time.now));
            return stored.map(Some).ok_or(CertificateError::Clock(skew));
        }
        let active = rotate(material.as_ref(), &self.service, time.now)?;
        let Some(change) = &active.change else { return Ok(Some(active)) };
        let is_stored = self.secret.store(loaded, &active.material).await;
        if !is_stored.map_err(|source| self.secret_error(source))? {
            return Ok(None);
        }
        info!("new certificates in the Secret {:?}: {change}", self.secret.name);
        Ok(Some(active))
    }

    async fn publish(&self, authorities: &str, now: SystemTime) -> Result<(), CertificateError> {
        let name = || self.bundle.name.clone();
        match self.bundle.publish(authorities, now).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(CertificateError::NoConfiguration(name())),
            Err(source) => Err(CertificateError::Configuration { name: name(), source }),
        }
    }

    fn secret_error(&self, source: kube::Error) -> CertificateError {
        CertificateError::Secret { name: self.secret.name.clone(), source }
    }
}

fn skew_warning(skew: ClockSkew) -> String {
    format!(
        "this machine's clock is {skew}: certificates are not renewed here, but by replicas on \
         other nodes; set the clock"
    )
}
