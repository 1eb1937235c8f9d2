//! Revisions of the installation: the objects of one installation, upgrade or rollback.

use std::fmt;
use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kube::core::DynamicObject;
use serde::{Deserialize, Serialize};

use crate::manifests::DEVICE_PLUGIN;

/// The limit of a revision's objects in bytes; the add-on's have less than 64 KiB.
const MAX_SIZE: u64 = 4 << 20;

/// A recorded revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Counts from 1.
    pub number: u32,
    /// Its state.
    pub status: RevisionStatus,
    /// The time of its beginning, as in RFC 3339.
    pub created: String,
    /// The image of its device plugin.
    #[serde(default)]
    pub image: Option<String>,
    /// The earlier revision whose objects it has, if it is a rollback.
    #[serde(default)]
    pub rollback_to: Option<u32>,
}

/// The state of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevisionStatus {
    /// It is being applied, or that was interrupted.
    Pending,
    /// The cluster has its objects.
    Deployed,
    /// A later one was deployed after it.
    Superseded,
    /// It failed or was interrupted; its changes stayed.
    Failed,
    /// It failed, and the one before was restored.
    RolledBack,
}

impl fmt::Display for RevisionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Deployed => "deployed",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled back",
        })
    }
}

/// For instance `revision 3 (sgx-quote-helper:0.1.0, superseded, of 2026-11-30T12:00:00Z)`.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "revision {} (", self.number)?;
        if let Some(image) = &self.image {
            write!(f, "{image}, ")?;
        }
        write!(f, "{}, of {})", self.status, self.created)
    }
}

/// The objects to record: all but Secrets with data, which stay in the cluster as they are.
pub(super) fn recorded(objects: &[DynamicObject]) -> Vec<DynamicObject> {
    let is_filled = |object: &DynamicObject| {
        let is_secret = object.types.as_ref().is_some_and(|types| types.kind == "Secret");
        is_secret && (object.data.get("data").is_some() || object.data.get("stringData").is_some())
    };
    objects.iter().filter(|object| !is_filled(object)).cloned().collect()
}

/// The image of the device plugin among these objects.
pub(super) fn image(objects: &[DynamicObject]) -> Option<String> {
    let is_plugin = |object: &&DynamicObject| {
        object.metadata.name.as_deref() == Some(DEVICE_PLUGIN)
            && object.types.as_ref().is_some_and(|types| types.kind == "DaemonSet")
    };
    let plugin = objects.iter().find(is_plugin)?;
    let image = plugin.data.pointer("/spec/template/spec/containers/0/image")?;
    image.as_str().map(ToOwned::to_owned)
}

/// The objects as JSON, compressed by gzip.
pub(super) fn compress(objects: &[DynamicObject]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&serde_json::to_vec(objects)?)?;
    encoder.finish()
}

/// The objects of [`compress`].
pub(super) fn decompress(bytes: &[u8]) -> io::Result<Vec<DynamicObject>> {
    let mut json = Vec::new();
    GzDecoder::new(bytes).take(MAX_SIZE).read_to_end(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(value: Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    fn secret(data: &Value) -> DynamicObject {
        let metadata = json!({ "name": "root", "namespace": "sgx" });
        object(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data }))
    }

    #[test]
    fn secrets_with_data_are_not_recorded() {
        let mut empty = secret(&Value::Null);
        empty.data.as_object_mut().unwrap().remove("data");
        let recorded = recorded(&[secret(&json!({ "key": "c2VjcmV0" })), empty.clone()]);
        assert_eq!(recorded, [empty]);
    }

    #[test]
    fn objects_survive_the_compression() {
        let metadata = json!({ "name": "settings", "namespace": "sgx" });
        let text = "the same again; ".repeat(1000);
        let objects = [object(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "a": text },
        }))];
        let compressed = compress(&objects).unwrap();
        assert!(compressed.len() < 1000, "{}", compressed.len());
        assert_eq!(decompress(&compressed).unwrap(), objects);
        assert!(decompress(b"no gzip").is_err());
        assert!(decompress(&compressed[..compressed.len() / 2]).is_err());
    }

    #[test]
    fn a_large_revision_is_not_read_in_full() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b' '; 64 << 20]).unwrap();
        assert!(decompress(&encoder.finish().unwrap()).is_err());
    }
}
