//! Settings of sources.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ServiceUrl;

/// Intel's PCS.
pub(super) const INTEL_PCS: &str = "https://api.trustedservices.intel.com";
/// Azure's THIM, on each virtual machine there.
pub(super) const AZURE_THIM: &str = "http://169.254.169.254/metadata/THIM";
/// Azure's cache for all regions.
pub(super) const AZURE_CACHE: &str = "https://global.acccache.azure.net";

/// Domains that identify a kind of service.
const INTEL_DOMAIN: &str = "trustedservices.intel.com";
const AZURE_CACHE_DOMAIN: &str = "acccache.azure.net";
const METADATA_HOST: &str = "169.254.169.254";

/// Further API version in requests for PCK certificates to Azure's services.
const AZURE_API_VERSION: (&str, &str) = ("api-version", "2021-07-22-preview");
/// Header that Azure's metadata services require against forged requests.
const AZURE_METADATA: (&str, &str) = ("Metadata", "true");

/// A source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSettings {
    /// A service.
    Service(ServiceSettings),
    /// A directory of files.
    Directory(PathBuf),
}

/// A service with the API of Intel's PCS.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Its kind.
    pub kind: PcsKind,
    /// Its URL.
    pub url: ServiceUrl,
    /// The items that it is asked for.
    pub serves: Serves,
    /// The trusted TLS certificates.
    pub trust: TrustSettings,
    /// The file with the API key. Only Intel's PCS is sent one.
    pub api_key_file: Option<PathBuf>,
    /// Further headers of requests for PCK certificates. They may be secrets, and are not in the
    /// debug form.
    pub headers: Vec<(String, String)>,
    /// Further parameters of requests for PCK certificates, not in the debug form either.
    pub parameters: Vec<(String, String)>,
}

/// Services with the API of Intel's PCS. Their requests differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PcsKind {
    /// Intel's own. It identifies platforms by their encrypted PPID.
    Pcs,
    /// A caching service. It identifies platforms by their QE id.
    Pccs,
    /// Azure's Trusted Hardware Identity Management, for virtual machines there. It is on the
    /// machine, so never behind a proxy.
    Thim,
}

/// The items that a source is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Serves {
    /// PCK certificates and collateral.
    Everything,
    /// PCK certificates.
    PckCertificates,
    /// Collateral for verification: CRLs, TCB info, enclave identities.
    Collateral,
}

/// The trusted TLS certificates of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustSettings {
    /// Those that the system trusts.
    System,
    /// Only those in this file, in PEM: the server's own, byte for byte, or that of
    /// a CA that has issued it.
    CaFile(PathBuf),
    /// None: the certificate is not checked. Documents are.
    Unchecked,
}

impl SourceSettings {
    /// The items that it is asked for.
    #[must_use]
    pub fn serves(&self) -> Serves {
        match self {
            Self::Service(service) => service.serves,
            Self::Directory(_) => Serves::Everything,
        }
    }

    pub(super) fn service_mut(&mut self) -> Option<&mut ServiceSettings> {
        match self {
            Self::Service(service) => Some(service),
            Self::Directory(_) => None,
        }
    }
}

impl ServiceSettings {
    /// The service at this URL, which determines its kind.
    #[must_use]
    pub fn at(url: ServiceUrl, serves: Serves) -> Self {
        let (is_intel, is_thim) = (url.is_of(INTEL_DOMAIN), url.is_of(METADATA_HOST));
        let is_azure = is_thim || url.is_of(AZURE_CACHE_DOMAIN);
        let mut service = Self {
            kind: PcsKind::Pccs,
            url,
            serves,
            trust: TrustSettings::System,
            api_key_file: None,
            headers: Vec::new(),
            parameters: Vec::new(),
        };
        if is_azure {
            service.set_parameter(AZURE_API_VERSION);
        }
        if is_intel {
            service.set_kind(PcsKind::Pcs);
        } else if is_thim {
            service.set_kind(PcsKind::Thim);
        }
        service
    }

    /// The services as sources. The last two become one if they have the same URL, the first of
    /// which serves PCK certificates and the second collateral.
    pub(super) fn joined(mut services: Vec<Self>) -> Vec<SourceSettings> {
        if let Some(collateral) = services.pop() {
            match services.last_mut() {
                Some(pck) if pck.url == collateral.url => pck.serves = Serves::Everything,
                _ => services.push(collateral),
            }
        }
        services.into_iter().map(SourceSettings::Service).collect()
    }

    /// Sets the kind, with the headers and parameters that it requires.
    pub(super) fn set_kind(&mut self, kind: PcsKind) {
        self.kind = kind;
        if kind == PcsKind::Thim {
            self.set_header(AZURE_METADATA);
            self.set_parameter(AZURE_API_VERSION);
        }
    }

    /// Sets a header of requests for PCK certificates.
    pub(super) fn set_header(&mut self, (name, value): (&str, &str)) {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Sets a parameter of requests for PCK certificates.
    pub(super) fn set_parameter(&mut self, (name, value): (&str, &str)) {
        self.parameters.retain(|(other, _)| other != name);
        self.parameters.push((name.to_owned(), value.to_owned()));
    }

    /// Sets the API key, if the service takes one and has none yet.
    pub(super) fn offer_api_key(&mut self, file: &Path) {
        if self.kind == PcsKind::Pcs && self.api_key_file.is_none() {
            self.api_key_file = Some(file.to_owned());
        }
    }
}

impl Serves {
    /// Tells if it is asked for PCK certificates.
    #[must_use]
    pub fn pck_certificates(self) -> bool {
        self != Self::Collateral
    }

    /// Tells if it is asked for collateral.
    #[must_use]
    pub fn collateral(self) -> bool {
        self != Self::PckCertificates
    }
}

impl fmt::Display for SourceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(ServiceSettings { kind: PcsKind::Pcs, url, .. }) => {
                write!(f, "the PCS at {url}")
            }
            Self::Service(ServiceSettings { kind: PcsKind::Pccs, url, .. }) => {
                write!(f, "the PCCS at {url}")
            }
            Self::Service(ServiceSettings { kind: PcsKind::Thim, url, .. }) => {
                write!(f, "Azure's THIM at {url}")
            }
            Self::Directory(path) => write!(f, "the directory {}", path.display()),
        }
    }
}

impl fmt::Debug for ServiceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |fields: &[(String, String)]| -> Vec<String> {
            fields.iter().map(|(name, _)| name.clone()).collect()
        };
        f.debug_struct("ServiceSettings")
            .field("kind", &self.kind)
            .field("url", &self.url.as_str())
            .field("serves", &self.serves)
            .field("trust", &self.trust)
            .field("api_key_file", &self.api_key_file)
            .field("headers", &names(&self.headers))
            .field("parameters", &names(&self.parameters))
            .finish()
    }
}
