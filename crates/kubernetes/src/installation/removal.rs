//! Removes objects and waits until they are gone.

use std::time::Duration;

use kube::ResourceExt;
use kube::api::{DeleteParams, Preconditions};
use tokio::time::{Instant, sleep};

use super::Progress;
use super::error::{ApiContext, InstallationError};
use super::kind::ObjectName;
use crate::api_server::{ApiError, ApiServer};

/// The polling interval.
const PERIOD: Duration = Duration::from_millis(500);

/// Removes objects, with a timeout.
pub(super) struct Removal<'a> {
    pub(super) api_server: &'a ApiServer,
    pub(super) progress: &'a Progress,
    pub(super) timeout: Duration,
}

impl Removal<'_> {
    /// Deletes these objects in reverse order, and waits until they and their pods are gone.
    pub(super) async fn remove(&self, objects: &[ObjectName]) -> Result<(), InstallationError> {
        for object in objects.iter().rev() {
            self.delete(object).await.doing(|| format!("delete {object}"))?;
        }
        self.wait_until_gone(objects.to_vec()).await
    }

    /// Waits until the object is gone if it is being deleted: the changes would be lost.
    pub(super) async fn wait_if_terminating(
        &self,
        object: &ObjectName,
    ) -> Result<(), InstallationError> {
        let live = self.api_server.live(object).await.doing(|| format!("look for {object}"))?;
        match live.and_then(|live| live.metadata.deletion_timestamp) {
            Some(_) => self.wait_until_gone(vec![object.clone()]).await,
            None => Ok(()),
        }
    }

    async fn delete(&self, object: &ObjectName) -> Result<(), ApiError> {
        let Some(live) = self.api_server.live(object).await? else { return Ok(()) };
        // Foreground deletion keeps the object until its pods are gone.
        let params = match object.kind.runs_pods() {
            true => DeleteParams::foreground(),
            false => DeleteParams::background(),
        };
        let preconditions = Preconditions { uid: live.uid(), resource_version: None };
        let params = params.preconditions(preconditions);
        let objects = self.api_server.objects(object.kind, object.namespace.as_deref());
        match self.api_server.ask(objects.delete(&object.name, &params)).await {
            // Err(ApiError::NotFound(_)) => Ok(()) | It was deleted meanwhile.
            Ok(_) | Err(ApiError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits until all of them are gone.
    async fn wait_until_gone(&self, mut left: Vec<ObjectName>) -> Result<(), InstallationError> {
        let begin = Instant::now();
        let mut reported = 0;
        loop {
            let problem = self.retain_present(&mut left).await;
            if left.is_empty() {
                return Ok(());
            }
            if begin.elapsed() >= self.timeout {
                problem?;
                return Err(InstallationError::DeletionTimeout { timeout: self.timeout, left });
            }
            if begin.elapsed() >= PERIOD && reported != left.len() {
                reported = left.len();
                let names: Vec<_> = left.iter().map(ToString::to_string).collect();
                (self.progress)(&format!("waiting until gone: {}", names.join(", ")));
            }
            sleep(PERIOD).await;
        }
    }

    /// Keeps the objects that exist. A failed request does not end the loop: it may be transient.
    async fn retain_present(&self, left: &mut Vec<ObjectName>) -> Result<(), InstallationError> {
        let mut still = Vec::new();
        let mut result = Ok(());
        for object in left.drain(..) {
            match self.api_server.live(&object).await {
                Ok(None) => {}
                Ok(Some(_)) => still.push(object),
                Err(error) => {
                    result = Err(error).doing(|| format!("check that {object} is gone"));
                    still.push(object);
                }
            }
        }
        *left = still;
        result
    }
}
