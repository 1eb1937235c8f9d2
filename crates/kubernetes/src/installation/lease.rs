//! A Lease, held by the process that changes the installation.

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

/// The name of the Lease.
pub(super) const NAME: &str = "sgx-quote-helper-install";
/// Its namespace: the same for all installations, since some objects are cluster-wide, and one that
/// always exists.
pub(super) const NAMESPACE: &str = "kube-system";

/// The time after which the Lease expires without renewal.
const DURATION: Duration = Duration::from_secs(30);
/// The interval of renewals.
const PERIOD: Duration = Duration::from_secs(10);

/// Runs `work` while holding the Lease. Drops it at its next await point when `stop` is ready or
/// the Lease is lost.
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
        let doing = || format!("acquire the Lease {NAMESPACE}/{NAME}");
        let now = Timestamp::now();
        let acquired = match self.lease().await.doing(doing)? {
            Some(lease) if is_held(&lease, now) => return Err(held(&lease)),
            // With its resourceVersion, so that the API server rejects concurrent changes.
            Some(lease) => self.replace(Lease { spec: Some(self.spec(now)), ..lease }).await,
            None => self.create(now).await,
        };
        match acquired {
            Err(ApiError::Conflict(_)) => Err(match self.lease().await.doing(doing)? {
                Some(lease) => held(&lease),
                None => held(&Lease::default()),
            }),
            acquired => acquired.doing(doing),
        }
    }

    /// Renews the Lease. Returns only if it is lost.
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

    /// `false` if another process has the Lease.
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

    /// Deletes the Lease. On failure it expires.
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
        let lease = Lease { metadata, spec: Some(self.spec(now)) };
        self.api_server.ask(self.leases.create(&PostParams::default(), &lease)).await?;
        Ok(())
    }

    async fn replace(&self, lease: Lease) -> Result<(), ApiError> {
        self.api_server.ask(self.leases.replace(NAME, &PostParams::default(), &lease)).await?;
        Ok(())
    }

    fn spec(&self, now: Timestamp) -> LeaseSpec {
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

/// True if it has not expired. A Lease that was never renewed is free.
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
