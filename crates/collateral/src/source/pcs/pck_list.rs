//! All PCK certificates of a platform in one response, which only Intel's PCS has.

use std::time::Instant;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::{PcsKind, PcsSource, Query, SourceError, accepted, issuer_chain};
use crate::PckTcb;

/// Placeholder of a certificate that is not available yet.
const NOT_AVAILABLE: &str = "Not available";

/// The identity of a platform for Intel's PCS.
#[derive(Debug, Clone, Copy)]
pub enum PlatformIdentity<'a> {
    /// PPID, encrypted with RSA-3072-OAEP.
    EncryptedPpid(&'a [u8; 384]),
    /// The platform manifest of a multi-package platform.
    Manifest(&'a [u8]),
}

/// The PCK certificates of a platform, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PckList {
    /// PEM, one certificate each.
    pub certificates: Vec<String>,
    /// The TCBs whose certificates are not available yet.
    pub not_available: Vec<PckTcb>,
    /// PEM: the PCK CA's certificate and the root's.
    pub issuer_chain: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManifestRequest {
    platform_manifest: String,
    pceid: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(with = "hex")]
    tcbm: [u8; 18],
    /// URL-encoded PEM.
    cert: String,
}

impl PcsSource {
    /// All PCK certificates of a platform with this PCE id (2 bytes, little-endian): `pckcerts`.
    ///
    /// # Errors
    /// [`SourceError`]; [`SourceError::NotOffered`] for other services than Intel's PCS.
    pub fn pck_certificates(
        &self,
        platform: PlatformIdentity<'_>,
        pce_id: [u8; 2],
        deadline: Instant,
    ) -> Result<PckList, SourceError> {
        if self.settings.kind != PcsKind::Pcs || !self.settings.serves.pck_certificates() {
            return Err(SourceError::NotOffered("it has no lists of PCK certificates"));
        }
        let url = format!("{}/sgx/certification/v4/pckcerts", self.settings.url);
        let (headers, pceid) = (self.pck_headers()?, hex::encode_upper(pce_id));
        let response = match platform {
            PlatformIdentity::EncryptedPpid(ppid) => {
                let mut query = Query::default();
                query.add("encrypted_ppid", &hex::encode_upper(ppid));
                query.add("pceid", &pceid);
                self.http.get(&format!("{url}{}", query.0), &headers, deadline)
            }
            PlatformIdentity::Manifest(manifest) => {
                let platform_manifest = hex::encode_upper(manifest);
                let request = ManifestRequest { platform_manifest, pceid };
                let body = serde_json::to_vec(&request)
                    .map_err(|error| SourceError::Malformed(error.to_string()))?;
                self.http.post_json(&url, &headers, &body, deadline)
            }
        };
        let response = accepted(response?)?;
        let issuer_chain = issuer_chain(&response, &["SGX-PCK-Certificate-Issuer-Chain"])?;
        PckList::read(&response.body, issuer_chain)
    }
}

impl PckList {
    fn read(body: &[u8], issuer_chain: String) -> Result<Self, SourceError> {
        let malformed = |reason: &dyn ToString| SourceError::Malformed(reason.to_string());
        let entries: Vec<Entry> =
            serde_json::from_slice(body).map_err(|error| malformed(&error))?;
        let (mut certificates, mut not_available) = (Vec::new(), Vec::new());
        for Entry { tcbm, cert } in entries {
            let pem = percent_decode_str(&cert).decode_utf8().map_err(|error| malformed(&error))?;
            match &*pem {
                NOT_AVAILABLE => not_available.push(PckTcb::from_bytes(&tcbm)),
                pem => certificates.push(pem.to_owned()),
            }
        }
        Ok(Self { certificates, not_available, issuer_chain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_told_from_those_that_are_not_there() {
        let tcbm = "0102000000000000000000000000000d0e00";
        let body = format!(
            r#"[{{"tcb":{{}},"tcbm":"{tcbm}","cert":"-----BEGIN%20X-----%0A"}},
                {{"tcb":{{}},"tcbm":"{}","cert":"Not available"}}]"#,
            tcbm.to_uppercase()
        );
        let list = PckList::read(body.as_bytes(), String::new()).unwrap();
        assert_eq!(list.certificates, ["-----BEGIN X-----\n"]);
        assert_eq!((list.not_available.len(), list.not_available[0].pce_svn), (1, 14));
        assert!(PckList::read(br#"[{"tcbm":"00","cert":""}]"#, String::new()).is_err());
    }
}
