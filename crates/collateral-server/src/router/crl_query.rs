//! Query strings for CRLs: by CA, or by the URL of a distribution point.

use axum::extract::Query;
use axum::http::Uri;
use collateral::CollateralId;
use percent_encoding::percent_decode_str;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use verify::PckCa;

use crate::api::{ApiError, ApiRequest, Encoding};

/// The query of `pckcrl`. Azure's DCAP client uses `uri`, and expects PEM.
#[derive(Deserialize)]
pub(crate) struct PckCrlQuery {
    #[serde(default, deserialize_with = "ca")]
    ca: Option<PckCa>,
    #[serde(default, deserialize_with = "encoding")]
    encoding: Option<Encoding>,
    uri: Option<String>,
}

/// The query of `crl`.
#[derive(Deserialize)]
pub(crate) struct CrlQuery {
    /// The URL of a distribution point.
    uri: String,
}

impl PckCrlQuery {
    /// The request for the CRL.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when it names no CRL.
    pub(crate) fn request(&self) -> Result<ApiRequest, ApiError> {
        let (item, encoding) = match (self.ca, &self.uri) {
            (Some(ca), _) => (CollateralId::PckCrl(ca), Encoding::Hex),
            (None, Some(uri)) => (crl_at(uri)?, Encoding::Pem),
            (None, None) => return Err(ApiError::invalid("ca must be platform or processor")),
        };
        Ok(ApiRequest { item, encoding: self.encoding.unwrap_or(encoding) })
    }
}

impl CrlQuery {
    /// The CRL at the distribution point.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when it is none of Intel's.
    pub(crate) fn item(&self) -> Result<CollateralId, ApiError> {
        crl_at(&self.uri)
    }
}

/// The CRL at this URL, whatever its host, since this server may be known by several names. Case
/// does not count, and Azure's DCAP client percent-encodes the URL twice.
fn crl_at(uri: &str) -> Result<CollateralId, ApiError> {
    let unknown = || {
        ApiError::invalid(
            "uri must be the URL of a CRL: …/IntelSGXRootCA.der, …/IntelSGXRootCA.crl, \
             …/pckcrl?ca=platform or …/pckcrl?ca=processor",
        )
    };
    let uri = percent_decode_str(uri).decode_utf8().map_err(|_| unknown())?.to_ascii_lowercase();
    let uri: Uri = uri.parse().map_err(|_| unknown())?;
    let path = uri.path();
    if path.ends_with("sgxrootca.der") || path.ends_with("sgxrootca.crl") {
        return Ok(CollateralId::RootCaCrl);
    }
    // The distribution points of versions 1 and 2 of the API.
    for ca in [PckCa::Processor, PckCa::Platform] {
        if path.ends_with(&format!("/intelsgxpck{ca}.crl")) {
            return Ok(CollateralId::PckCrl(ca));
        }
    }
    let query = Query::try_from_uri(&uri).ok().filter(|_| path.ends_with("/pckcrl"));
    let Some(Query(PckCrlQuery { ca: Some(ca), .. })) = query else { return Err(unknown()) };
    Ok(CollateralId::PckCrl(ca))
}

fn ca<'de, D: Deserializer<'de>>(value: D) -> Result<Option<PckCa>, D::Error> {
    match String::deserialize(value)?.to_ascii_lowercase().as_str() {
        "platform" => Ok(Some(PckCa::Platform)),
        "processor" => Ok(Some(PckCa::Processor)),
        _ => Err(Error::custom("expected platform or processor")),
    }
}

fn encoding<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Encoding>, D::Error> {
    match String::deserialize(value)?.to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "hex" => Ok(Some(Encoding::Hex)),
        "der" => Ok(Some(Encoding::Der)),
        "pem" => Ok(Some(Encoding::Pem)),
        _ => Err(Error::custom("expected der or pem")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distribution_points_are_matched_by_the_ends_of_their_urls() {
        let host = "https://certificates.trustedservices.intel.com";
        for (uri, item) in [
            (format!("{host}/IntelSGXRootCA.der"), CollateralId::RootCaCrl),
            (format!("{host}/IntelSGXRootCA.crl"), CollateralId::RootCaCrl),
            (format!("{host}/intelsgxrootca.crl"), CollateralId::RootCaCrl),
            ("http://localhost:8081/SGXRootCA.der".to_owned(), CollateralId::RootCaCrl),
            (format!("{host}/IntelSGXPCKProcessor.crl"), CollateralId::PckCrl(PckCa::Processor)),
            (
                "https%3a%2f%2fsbx.api.x%2fsgx%2fcertification%2fv3%2fpckcrl%3fca%3dplatform%26encoding%3dpem"
                    .to_owned(),
                CollateralId::PckCrl(PckCa::Platform),
            ),
            (format!("{host}/x/v4/pckcrl?ca=processor"), CollateralId::PckCrl(PckCa::Processor)),
        ] {
            assert_eq!(crl_at(&uri), Ok(item), "{uri}");
        }
        for uri in ["", "x", "https://x/y.crl", "https://x/pckcrl", "https://x/pckcrl?ca=z", "%ff"]
        {
            assert!(matches!(crl_at(uri), Err(ApiError::Invalid(_))), "{uri}");
        }
    }
}
