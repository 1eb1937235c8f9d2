//! The Secret with the certificates of all replicas.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Error};

use super::certificate::Material;

const AUTHORITIES: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// The Secret of this name.
pub(crate) struct SharedSecret {
    pub(crate) secrets: Api<Secret>,
    pub(crate) name: String,
}

impl SharedSecret {
    pub(crate) async fn load(&self) -> Result<Option<Secret>, Error> {
        self.secrets.get_opt(&self.name).await
    }

    /// Stores it in place of the loaded one. Returns `false` if the Secret has changed meanwhile.
    pub(crate) async fn store(
        &self,
        loaded: Option<Secret>,
        material: &Material,
    ) -> Result<bool, Error> {
        let params = PostParams::default();
        let stored = match loaded {
            // With its resourceVersion, so that the API server rejects concurrent changes.
            Some(secret) => {
                let secret = Secret { data: Some(data(material)), ..secret };
                self.secrets.replace(&self.name, &params, &secret).await
            }
            None => {
                let metadata =
                    ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                let data = Some(data(material));
                let secret = Secret { metadata, data, ..Secret::default() };
                self.secrets.create(&params, &secret).await
            }
        };
        match stored {
            Ok(_) => Ok(true),
            Err(Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The Secret's content, with empty texts for missing keys.
pub(crate) fn material(secret: &Secret) -> Option<Material> {
    let data = secret.data.as_ref().filter(|data| !data.is_empty())?;
    let text = |key| {
        let bytes = data.get(key).map_or(&[][..], |value| &value.0);
        String::from_utf8_lossy(bytes).into_owned()
    };
    Some(Material {
        authorities: text(AUTHORITIES),
        authority_key: text(AUTHORITY_KEY).into(),
        certificate: text(CERTIFICATE),
        key: text(KEY).into(),
    })
}

fn data(material: &Material) -> BTreeMap<String, ByteString> {
    let Material { authorities, authority_key, certificate, key } = material;
    [
        (AUTHORITIES, authorities),
        (AUTHORITY_KEY, authority_key),
        (CERTIFICATE, certificate),
        (KEY, key),
    ]
    .map(|(name, text)| (name.to_owned(), ByteString(text.as_bytes().to_vec())))
    .into()
}
