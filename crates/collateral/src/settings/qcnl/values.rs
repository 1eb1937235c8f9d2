//! Values of the keys of `sgx_default_qcnl.conf`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::{CollateralForm, ServiceUrl, parse};
use crate::TcbUpdate;

/// The maximum of Intel's provider: 90 days.
const MOST_HOURS: f64 = 2160.0;

/// A URL; none if it is empty.
pub(super) fn url<'de, D: Deserializer<'de>>(value: D) -> Result<Option<ServiceUrl>, D::Error> {
    let text = String::deserialize(value)?;
    if text.is_empty() {
        return Ok(None);
    }
    ServiceUrl::parse(&text).map(Some).map_err(D::Error::custom)
}

pub(super) fn hours<'de, D: Deserializer<'de>>(value: D) -> Result<Duration, D::Error> {
    let hours = f64::deserialize(value)?;
    if hours.is_nan() || hours < 0.0 {
        return Err(D::Error::custom(format!("{hours} is no number of hours")));
    }
    let seconds = hours.min(MOST_HOURS) * 3600.0;
    Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)
}

pub(super) fn retry_times<'de, D: Deserializer<'de>>(value: D) -> Result<u32, D::Error> {
    let times = u32::deserialize(value)?;
    parse::retries(&times.to_string()).map_err(D::Error::custom)
}

pub(super) fn retry_delay<'de, D: Deserializer<'de>>(value: D) -> Result<Duration, D::Error> {
    let seconds = u32::deserialize(value)?;
    if seconds > 3600 {
        return Err(D::Error::custom(format!("{seconds} seconds are longer than an hour")));
    }
    Ok(Duration::from_secs(seconds.into()))
}

pub(super) fn update_type<'de, D: Deserializer<'de>>(value: D) -> Result<TcbUpdate, D::Error> {
    let text = String::deserialize(value)?;
    match text.to_ascii_lowercase().as_str() {
        "standard" => Ok(TcbUpdate::Standard),
        "early" => Ok(TcbUpdate::Early),
        _ => Err(D::Error::custom(format!("{text:?} is neither \"early\" nor \"standard\""))),
    }
}

/// The format of collateral in C, not the version of the PCS API.
pub(super) fn api_version<'de, D: Deserializer<'de>>(value: D) -> Result<CollateralForm, D::Error> {
    match Value::deserialize(value)? {
        Value::String(text) if text == "3.0" => Ok(CollateralForm::HexadecimalCrls),
        Value::String(text) if text == "3.1" => Ok(CollateralForm::DerCrls),
        Value::Number(number) if number.as_f64() == Some(3.0) => {
            Ok(CollateralForm::HexadecimalCrls)
        }
        Value::Number(number) if number.as_f64() == Some(3.1) => Ok(CollateralForm::DerCrls),
        _ => Err(D::Error::custom(
            "it is \"3.0\" or \"3.1\": the form of CRLs, and not the version of the API in the URL",
        )),
    }
}

/// Additions to requests for PCK certificates.
#[derive(Default)]
pub(super) struct RequestOptions {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) parameters: BTreeMap<String, String>,
}

/// The object with the requests' names. Errors do not show values, which may be secrets.
pub(super) fn request_options<'de, D: Deserializer<'de>>(
    value: D,
) -> Result<RequestOptions, D::Error> {
    const FORM: &str = "it is {\"get_cert\": {\"headers\": {…}, \"params\": {…}}}, with nothing but text in the \
         inner two";
    let options = ByRequest::deserialize(value).map_err(|_| D::Error::custom(FORM))?;
    let GetCert { headers, params } = options.get_cert.unwrap_or_default();
    let is_field = |c: char| c == '\t' || (' '..='~').contains(&c);
    for (name, value) in &headers {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(D::Error::custom(format!("{name:?} is no name of an HTTP header")));
        }
        if !value.chars().all(is_field) {
            return Err(D::Error::custom(format!(
                "the header {name} has a value that HTTP does not allow"
            )));
        }
    }
    Ok(RequestOptions { headers, parameters: params })
}

/// Intel's provider has options for this request only.
#[derive(Deserialize)]
struct ByRequest {
    get_cert: Option<GetCert>,
}

#[derive(Default, Deserialize)]
struct GetCert {
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    params: BTreeMap<String, String>,
}
