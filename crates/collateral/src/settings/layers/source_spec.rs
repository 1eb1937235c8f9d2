//! A source in the settings: text, or a table with more settings of it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::super::service_url::without_query;
use super::super::source_settings::{AZURE_CACHE, AZURE_THIM, INTEL_PCS};
use super::super::{PcsKind, Serves, ServiceSettings, ServiceUrl, SourceSettings, TrustSettings};

/// A source: a URL, an absolute path of a directory, `pcs` (Intel's PCS), `thim` or `azure`
/// (Azure's services). In a file it can also be a table, which says more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// As it was written, without a query, which may hold a token.
    text: String,
    settings: SourceSettings,
    /// The trusted certificates in a table.
    trust: Option<TrustSettings>,
}

impl SourceSpec {
    /// The source, with this trust if it has none of its own.
    pub(in crate::settings) fn settings(&self, trust: Option<&TrustSettings>) -> SourceSettings {
        let mut settings = self.settings.clone();
        if let Some(service) = settings.service_mut()
            && let Some(trust) = self.trust.as_ref().or(trust)
        {
            service.trust = trust.clone();
        }
        settings
    }
}

/// As it was written, without a query, which may hold a token.
impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for SourceSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown = without_query(text).to_owned();
        let (url, serves) = match text {
            "pcs" => (INTEL_PCS, Serves::Everything),
            "thim" => (AZURE_THIM, Serves::PckCertificates),
            "azure" => (AZURE_CACHE, Serves::Everything),
            path if path.starts_with('/') => {
                let settings = SourceSettings::Directory(path.into());
                return Ok(Self { text: shown, settings, trust: None });
            }
            url if url.contains("://") || url.contains('@') => (url, Serves::Everything),
            _ => {
                return Err(format!(
                    "{shown:?} is no source: write a URL with https://, an absolute path of a directory, \"pcs\", \
                     \"thim\" or \"azure\""
                ));
            }
        };
        let mut service = ServiceSettings::at(ServiceUrl::parse(url)?, serves);
        if service.kind == PcsKind::Thim {
            service.serves = Serves::PckCertificates;
        }
        Ok(Self { text: shown, settings: SourceSettings::Service(service), trust: None })
    }
}

impl<'de> Deserialize<'de> for SourceSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTable)
    }
}

struct TextOrTable;

impl<'de> Visitor<'de> for TextOrTable {
    type Value = SourceSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a source as text, or a table with `url`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SourceSpec, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SourceSpec, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        table.source().map_err(A::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// The source as text.
    url: String,
    kind: Option<PcsKind>,
    serves: Option<Serves>,
    ca_file: Option<PathBuf>,
    insecure_tls: Option<bool>,
    api_key_file: Option<PathBuf>,
}

impl Table {
    fn source(self) -> Result<SourceSpec, String> {
        let mut source: SourceSpec = self.url.parse()?;
        let has_more = self.kind.is_some()
            || self.serves.is_some()
            || self.ca_file.is_some()
            || self.insecure_tls.is_some()
            || self.api_key_file.is_some();
        let Some(service) = source.settings.service_mut() else {
            return match has_more {
                true => {
                    Err("a directory has no settings but its path; write it as text".to_owned())
                }
                false => Ok(source),
            };
        };
        if let Some(kind) = self.kind {
            service.set_kind(kind);
        }
        if let Some(serves) = self.serves {
            service.serves = serves;
        }
        if self.api_key_file.is_some() && service.kind != PcsKind::Pcs {
            return Err("an api_key_file is for Intel's PCS; other services take no API key, and should not see it"
                .to_owned());
        }
        service.api_key_file = self.api_key_file;
        source.trust = TrustSettings::of(self.ca_file, self.insecure_tls)?;
        Ok(source)
    }
}
