//! One at a time: who changes the installation holds a Lease.

use std::future::Future;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Api;
use kube::api::{DeleteParams, ObjectMeta, PostParams, Preconditions};
use tokio::time::{Instant, sleep};

use super::error::{ApiContext, InstallationError};
use crate::api_server::{ApiError, ApiServer};

/// The Lease.
pub(super) const NAME: &str = "sgx-quote-helper-install";
/// Its namespace: one that is there before an installation and after it, and the same for all, since an
/// installation has objects that a cluster has once.
pub(super) const NAMESPACE: &str = "kube-system";

/// How long it holds without a sign of life.
const DURATION: Duration = Duration::from_secs(30);
/// How often there is one.
const PERIOD: Duration = Duration::from_secs(10);

/// Works while nobody else does. When `stop` is ready, or somebody else has taken over, the work is dropped
/// where it waits.
pub(super) async fn with_lease<T>(
    api_server: &ApiServer,
    holder: &str,
    stop: impl Future<Output = ()>,
    work: impl Future<Output = Result<T, InstallationError>>,
) -> Result<T, InstallationError> {
    let leases = Api::namespaced(api_server.client(), NAMESPACE);
    let lock = InstallationLease { api_server, leases, holder };
    lock.acquire().await?;
    let result = tokio::select! {
        result = work => result,
        error = lock.keep() => Err(error),
        () = stop => Err(InstallationError::Interrupted),
    };
    lock.release().await;
    result
}

struct InstallationLease<'a> {
    api_server: &'a ApiServer,
    leases: Api<Lease>,
    holder: &'a str,
}

impl InstallationLease<'_> {
    async fn acquire(&self) -> Result<(), InstallationError> {
        let doing = || format!("claim the installation with the Lease {NAMESPACE}/{NAME}");
        let now = Timestamp::now();
        let claimed = match self.lease().await.doing(doing)? {
            Some(lease) if is_held(&lease, now) => return Err(held(&lease)),
            // Its resourceVersion goes with it: the API server refuses if somebody else was faster.
            Some(lease) => self.replace(Lease { spec: Some(self.claim(now)), ..lease }).await,
            None => self.create(now).await,
        };
        match claimed {
            Err(ApiError::Conflict(_)) => Err(match self.lease().await.doing(doing)? {
                Some(lease) => held(&lease),
                None => held(&Lease::default()),
            }),
            claimed => claimed.doing(doing),
        }
    }

    /// Gives signs of life. Returns only if the claim is lost.
    async fn keep(&self) -> InstallationError {
        let mut last = Instant::now();
        loop {
            sleep(PERIOD).await;
            match self.renew().await {
                Ok(true) => last = Instant::now(),
                Ok(false) => {
                    return InstallationError::LeaseLost("somebody else has it".to_owned());
                }
                Err(error) if last.elapsed() >= DURATION => {
                    return InstallationError::LeaseLost(error.to_string());
                }
                Err(_) => {}
            }
        }
    }

    /// `false` if somebody else has the claim.
    async fn renew(&self) -> Result<bool, ApiError> {
        let Some(mut lease) = self.lease().await?.filter(|lease| self.is_managed(lease)) else {
            return Ok(false);
        };
        if let Some(spec) = &mut lease.spec {
            spec.renew_time = Some(MicroTime(Timestamp::now()));
        }
        self.replace(lease).await?;
        Ok(true)
    }

    /// Ends the claim. If that fails it ends by itself, when there is no sign of life any more.
    async fn release(&self) {
        let Ok(Some(lease)) = self.lease().await else { return };
        if self.is_managed(&lease) {
            let preconditions = Preconditions {
                resource_version: lease.metadata.resource_version,
                uid: lease.metadata.uid,
            };
            let params =
                DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
            let _ = self.api_server.ask(self.leases.delete(NAME, &params)).await;
        }
    }

    async fn lease(&self) -> Result<Option<Lease>, ApiError> {
        self.api_server.ask(self.leases.get_opt(NAME)).await
    }

    async fn create(&self, now: Timestamp) -> Result<(), ApiError> {
        let metadata = ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() };
        let lease = Lease { metadata, spec: Some(self.claim(now)) };
        self.api_server.ask(self.leases.create(&PostParams::default(), &lease)).await?;
        Ok(())
    }

    async fn replace(&self, lease: Lease) -> Result<(), ApiError> {
        self.api_server.ask(self.leases.replace(NAME, &PostParams::default(), &lease)).await?;
        Ok(())
    }

    fn claim(&self, now: Timestamp) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(self.holder.to_owned()),
            acquire_time: Some(MicroTime(now)),
            renew_time: Some(MicroTime(now)),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            ..LeaseSpec::default()
        }
    }

    fn is_managed(&self, lease: &Lease) -> bool {
        let spec = lease.spec.as_ref();
        spec.and_then(|spec| spec.holder_identity.as_deref()) == Some(self.holder)
    }
}

/// Whether its last sign of life is recent. One that has none is nobody's.
fn is_held(lease: &Lease, now: Timestamp) -> bool {
    let renewed = lease.spec.as_ref().and_then(|spec| spec.renew_time.as_ref());
    let duration = SignedDuration::try_from(DURATION).unwrap_or(SignedDuration::MAX);
    renewed.is_some_and(|renewed| now.duration_since(renewed.0) < duration)
}

fn held(lease: &Lease) -> InstallationError {
    let spec = lease.spec.clone().unwrap_or_default();
    let holder = spec.holder_identity.unwrap_or_else(|| "somebody else".to_owned());
    let since = spec.acquire_time.map_or_else(|| "just now".to_owned(), |time| to_seconds(time.0));
    InstallationError::LeaseHeld { holder, since }
}

fn to_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
