//! The last revisions of the installation, in a ConfigMap beside the add-on.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;
use kube::api::ObjectMeta;
use kube::core::DynamicObject;

use super::apply;
use super::error::{ApiContext, InstallationError};
use super::inventory::managed;
use super::kind::ObjectName;
use super::revision::{Revision, RevisionStatus, compress, decompress, image, recorded};
use crate::api_server::ApiServer;
use crate::manifests::{MANAGED_BY, PART_OF};

/// The ConfigMap. It has no secrets, see [`recorded`].
pub(super) const REVISIONS: &str = "sgx-quote-helper-revisions";
/// The key of the list of revisions, in JSON. Their objects are binary data under their number.
const LIST: &str = "revisions.json";
/// The number of revisions to keep.
const KEPT: usize = 5;

/// The revisions in ascending order, each with its compressed objects.
#[derive(Debug, Default)]
pub(super) struct History {
    revisions: Vec<(Revision, Vec<u8>)>,
}

impl History {
    /// The recorded revisions; empty if there are none.
    ///
    /// # Errors
    /// If the request fails, or the ConfigMap is damaged.
    pub(super) async fn load(api_server: &ApiServer) -> Result<Self, InstallationError> {
        let config_maps = kube::Api::<ConfigMap>::all(api_server.client());
        let params = managed().fields(&format!("metadata.name={REVISIONS}"));
        let found = api_server.list(&config_maps, &params, |_| true).await;
        let found = found.doing(|| "list the revisions".to_owned())?;
        let parsed: Result<Vec<_>, _> = found.into_iter().map(Self::parse).collect();
        // There are two after a change of the namespace that was interrupted.
        let latest = parsed?.into_iter().max_by_key(Self::last_number);
        Ok(latest.unwrap_or_default())
    }

    fn parse(config_map: ConfigMap) -> Result<Self, InstallationError> {
        let namespace = config_map.metadata.namespace.unwrap_or_default();
        let damaged = |cause: String| InstallationError::Revisions {
            config_map: format!("{namespace}/{REVISIONS}"),
            cause,
        };
        let list = config_map.data.and_then(|mut data| data.remove(LIST));
        let list = list.ok_or_else(|| damaged(format!("it has no {LIST}")))?;
        let list: Vec<Revision> =
            serde_json::from_str(&list).map_err(|error| damaged(error.to_string()))?;
        let mut objects = config_map.binary_data.unwrap_or_default();
        let with_objects = list.into_iter().filter_map(|revision| {
            let ByteString(objects) = objects.remove(&revision.number.to_string())?;
            Some((revision, objects))
        });
        Ok(Self { revisions: with_objects.collect() })
    }

    /// Writes the revisions to this namespace.
    ///
    /// # Errors
    /// If the request fails.
    pub(super) async fn save(
        &self,
        api_server: &ApiServer,
        namespace: &str,
    ) -> Result<(), InstallationError> {
        let doing = || format!("record the revision in ConfigMap {namespace}/{REVISIONS}");
        let damaged = |error: serde_json::Error| InstallationError::Revisions {
            config_map: format!("{namespace}/{REVISIONS}"),
            cause: error.to_string(),
        };
        let list: Vec<_> = self.revisions.iter().map(|(revision, _)| revision).collect();
        let list = serde_json::to_string_pretty(&list).map_err(damaged)?;
        let objects = self
            .revisions
            .iter()
            .map(|(revision, objects)| (revision.number.to_string(), ByteString(objects.clone())));
        let labels = [PART_OF, MANAGED_BY].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config_map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(REVISIONS.to_owned()),
                namespace: Some(namespace.to_owned()),
                labels: Some(BTreeMap::from(labels)),
                ..ObjectMeta::default()
            },
            data: Some([(LIST.to_owned(), list)].into()),
            binary_data: Some(objects.collect()),
            ..ConfigMap::default()
        };
        let object = serde_json::to_value(&config_map).and_then(serde_json::from_value);
        let object: DynamicObject = object.map_err(damaged)?;
        let Some(name) = ObjectName::of(&object) else { return Ok(()) };
        apply::patch(api_server, &name, &object, false).await.doing(doing)?;
        Ok(())
    }

    /// All revisions, in ascending order.
    pub(super) fn revisions(&self) -> impl DoubleEndedIterator<Item = &Revision> {
        self.revisions.iter().map(|(revision, _)| revision)
    }

    /// The revision that the cluster has, or had before a later one failed or was interrupted.
    pub(super) fn deployed(&self) -> Option<&Revision> {
        self.revisions().rfind(|revision| revision.status == RevisionStatus::Deployed)
    }

    /// The last revision, if it is neither deployed nor rolled back: objects of it may be in the
    /// cluster.
    pub(super) fn unfinished(&self) -> Option<&Revision> {
        let unfinished = [RevisionStatus::Pending, RevisionStatus::Failed];
        self.revisions().next_back().filter(|revision| unfinished.contains(&revision.status))
    }

    /// The revision to return to: of this number; else the deployed one, if a later one is
    /// unfinished; else the one that was deployed before.
    pub(super) fn rollback_target(
        &self,
        number: Option<u32>,
    ) -> Result<&Revision, InstallationError> {
        let target = match (number, self.unfinished()) {
            (Some(number), _) => self.revisions().find(|revision| revision.number == number),
            (None, Some(_)) => self.deployed(),
            (None, None) => {
                self.revisions().rfind(|revision| revision.status == RevisionStatus::Superseded)
            }
        };
        target.ok_or_else(|| InstallationError::NoRevision {
            number,
            recorded: self.revisions().cloned().collect(),
        })
    }

    /// The objects of a revision.
    ///
    /// # Errors
    /// If they are damaged.
    pub(super) fn objects(&self, number: u32) -> Result<Vec<DynamicObject>, InstallationError> {
        let revision = self.revisions.iter().find(|(revision, _)| revision.number == number);
        let objects = revision.map(|(_, objects)| objects.as_slice()).unwrap_or_default();
        decompress(objects).map_err(|error| InstallationError::Revisions {
            config_map: REVISIONS.to_owned(),
            cause: format!("revision {number}: {error}"),
        })
    }

    /// Adds a revision with these objects, and returns its number. The oldest are dropped, but not
    /// the deployed one. An earlier one that was interrupted counts as failed.
    ///
    /// # Errors
    /// If the objects cannot be compressed.
    pub(super) fn add(
        &mut self,
        objects: &[DynamicObject],
        status: RevisionStatus,
        rollback_to: Option<u32>,
    ) -> Result<u32, InstallationError> {
        let compressed =
            compress(&recorded(objects)).map_err(|error| InstallationError::Revisions {
                config_map: REVISIONS.to_owned(),
                cause: error.to_string(),
            })?;
        for (revision, _) in &mut self.revisions {
            if revision.status == RevisionStatus::Pending {
                revision.status = RevisionStatus::Failed;
            }
        }
        let number = self.last_number().saturating_add(1);
        let created = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
        let revision = Revision {
            number,
            status,
            created: created.to_string(),
            image: image(objects),
            rollback_to,
        };
        self.revisions.push((revision, compressed));
        while self.revisions.len() > KEPT {
            let is_dropped = |(revision, _): &(Revision, Vec<u8>)| {
                revision.status != RevisionStatus::Deployed && revision.number != number
            };
            let Some(oldest) = self.revisions.iter().position(is_dropped) else { break };
            self.revisions.remove(oldest);
        }
        Ok(number)
    }

    /// Changes the status of a revision. A deployed one supersedes the one before.
    pub(super) fn set(&mut self, number: u32, status: RevisionStatus) {
        for (revision, _) in &mut self.revisions {
            if revision.number == number {
                revision.status = status;
            } else if status == RevisionStatus::Deployed
                && revision.status == RevisionStatus::Deployed
            {
                revision.status = RevisionStatus::Superseded;
            }
        }
    }

    fn last_number(&self) -> u32 {
        self.revisions().next_back().map_or(0, |revision| revision.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(statuses: &[RevisionStatus]) -> History {
        let mut history = History::default();
        for status in statuses {
            let number = history.add(&[], RevisionStatus::Pending, None).unwrap();
            history.set(number, *status);
        }
        history
    }

    fn target(history: &History, number: Option<u32>) -> Option<u32> {
        history.rollback_target(number).ok().map(|revision| revision.number)
    }

    #[test]
    fn a_rollback_returns_to_the_revision_deployed_before() {
        use RevisionStatus::{Deployed, Failed, Pending, RolledBack};
        for (statuses, expected) in [
            (&[][..], None),
            (&[Deployed], None),
            (&[Deployed, Deployed], Some(1)),
            (&[Deployed, RolledBack], None),
            (&[Deployed, Deployed, RolledBack], Some(1)),
            (&[Deployed, Pending], Some(1)),
            (&[Deployed, Deployed, Failed], Some(2)),
            (&[Deployed, Failed, Deployed], Some(1)),
            (&[Pending], None),
        ] {
            assert_eq!(target(&history(statuses), None), expected, "{statuses:?}");
        }
        let three = history(&[Deployed; 3]);
        assert_eq!(target(&three, Some(1)), Some(1));
        let error = three.rollback_target(Some(7)).unwrap_err().to_string();
        assert!(error.contains("revision 7") && error.contains("revision 3 (deployed"), "{error}");
    }

    #[test]
    fn the_last_revisions_and_the_deployed_one_are_kept() {
        let mut history = history(&[RevisionStatus::Deployed]);
        for _ in 0..20 {
            history.add(&[], RevisionStatus::Pending, None).unwrap();
        }
        let numbers: Vec<_> = history.revisions().map(|revision| revision.number).collect();
        assert_eq!(numbers, [1, 18, 19, 20, 21]);
        assert_eq!(history.deployed().unwrap().number, 1);
        let pending = history.revisions().filter(|it| it.status == RevisionStatus::Pending);
        assert_eq!(pending.count(), 1, "the earlier ones were interrupted");
    }
}
