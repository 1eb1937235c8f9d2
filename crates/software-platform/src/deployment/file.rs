//! The stored form of a deployment.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::serde::rfc3339;
use zeroize::Zeroizing;

use super::Deployment;
use crate::hash::sha256;
use crate::pki::{PcsUrl, PkiError, SubjectNames};
use crate::secret_hex;

const VERSION: u32 = 1;

/// The stored form. The root certificate's SHA-256 follows from the rest, so that it detects
/// damage.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeploymentFile {
    version: u32,
    names: SubjectNames,
    #[serde(with = "rfc3339")]
    created: OffsetDateTime,
    /// Left out if it is the default, as in older files.
    #[serde(default, skip_serializing_if = "PcsUrl::is_default")]
    pcs_url: PcsUrl,
    #[serde(with = "secret_hex")]
    seed: Zeroizing<[u8; 32]>,
    #[serde(with = "hex")]
    root_sha256: [u8; 32],
}

/// A stored deployment cannot be used.
#[derive(Debug, thiserror::Error)]
enum DeploymentFileError {
    #[error("the deployment has format version {0}, this program knows only version {VERSION}")]
    Version(u32),
    #[error(
        "the deployment is damaged: its seed, names, creation time and URL do not lead to its root \
         certificate; restore it from a copy, or make a new one, which verifiers must then trust"
    )]
    Damaged,
    #[error(transparent)]
    Pki(#[from] PkiError),
}

impl TryFrom<DeploymentFile> for Deployment {
    type Error = DeploymentFileError;

    fn try_from(file: DeploymentFile) -> Result<Self, DeploymentFileError> {
        if file.version != VERSION {
            return Err(DeploymentFileError::Version(file.version));
        }
        let deployment = Self::with_pcs_url(*file.seed, file.names, file.created, file.pcs_url)?;
        if deployment.root_sha256() != file.root_sha256 {
            return Err(DeploymentFileError::Damaged);
        }
        Ok(deployment)
    }
}

impl Serialize for Deployment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        DeploymentFile {
            version: VERSION,
            names: self.profile.names,
            created: self.profile.created,
            pcs_url: self.profile.pcs_url.clone(),
            seed: self.seed.clone(),
            root_sha256: self.root_sha256(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Deployment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DeploymentFile::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl Deployment {
    fn root_sha256(&self) -> [u8; 32] {
        sha256(&[self.root_certificate().der()])
    }
}
