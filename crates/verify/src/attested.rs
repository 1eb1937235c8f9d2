//! The facts that evidence proves.

mod quoted;
mod tcb;

use std::time::SystemTime;

use serde::{Serialize, Serializer};
use sgx::{CpuSvn, Describe, Description, QuoteBody};

pub use self::quoted::{Enclave, Td, TdExtension};
pub use self::tcb::AttestedTcb;
use crate::{PlatformFeatures, SgxExtension, TrustedRoot};

/// The facts that a quote and its collateral prove under `root` at the time of verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attested {
    /// The quoted enclave or TD: in JSON the member `enclave` or `td`, byte strings in hexadecimal.
    #[serde(flatten, serialize_with = "quoted::serialize")]
    #[cfg_attr(feature = "schema", schemars(with = "quoted::Quoted"))]
    pub body: QuoteBody,
    /// The TCB of its platform.
    pub tcb: AttestedTcb,
    /// The platform that it runs on.
    pub platform: AttestedPlatform,
    /// The root that the evidence leads to.
    pub root: TrustedRoot,
    /// The earliest expiry of the certificates, up to the root, CRLs, TCB info and QE identity. In
    /// JSON RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub earliest_expiration: SystemTime,
}

fn rfc3339<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&printable::rfc3339(*at))
}

/// The platform as its PCK certificate describes it. In JSON byte strings are in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttestedPlatform {
    /// FMSPC, 6 bytes: the kind of platform (family, model, stepping, platform type, custom SKU).
    #[serde(with = "hex")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub fmspc: [u8; 6],
    /// PCE id, 2 bytes.
    #[serde(with = "hex")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub pce_id: [u8; 2],
    /// CPUSVN that the PCK key is derived for.
    #[serde(serialize_with = "text")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub cpu_svn: CpuSvn,
    /// ISVSVN of the PCE that the PCK key is derived for.
    pub pce_svn: u16,
    /// PPID, 16 bytes: identifies the processor package. Not secret, but unique to a machine.
    #[serde(with = "hex")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub ppid: [u8; 16],
    /// Platform instance id, 16 bytes, of certificates of the PCK Platform CA: identifies a
    /// platform of several packages. In JSON null if not stated.
    #[serde(serialize_with = "optional_hex")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub platform_instance_id: Option<[u8; 16]>,
    /// Its configuration. In JSON each feature is a member of the platform: true, false or null.
    #[serde(flatten)]
    pub features: PlatformFeatures,
}

impl AttestedPlatform {
    pub(crate) fn new(pck: &SgxExtension) -> Self {
        Self {
            fmspc: pck.fmspc,
            pce_id: pck.pce_id,
            cpu_svn: pck.cpu_svn,
            pce_svn: pck.pce_svn,
            ppid: pck.ppid,
            platform_instance_id: pck.platform_instance_id,
            features: pck.features,
        }
    }
}

impl Describe for Attested {
    fn describe(&self) -> Description {
        let advisories = match &self.tcb.advisory_ids[..] {
            [] => "none".to_owned(),
            ids => ids.join(" "),
        };
        let description = Description::default()
            .text("TCB status", self.tcb.status)
            .text("TCB date", printable::rfc3339(self.tcb.date))
            .text("TCB evaluation", self.tcb.evaluation_data_number)
            .text("advisories", advisories)
            .text("earliest expiry", printable::rfc3339(self.earliest_expiration))
            .text("root", &self.root.subject)
            .bytes("root SHA-256", &self.root.sha256)
            .fields("platform", &self.platform);
        self.body.describe_into(description)
    }
}

impl Describe for AttestedPlatform {
    fn describe(&self) -> Description {
        let description = Description::default()
            .bytes("FMSPC", &self.fmspc)
            .bytes("PCE id", &self.pce_id)
            .text("CPUSVN", self.cpu_svn)
            .text("PCESVN", self.pce_svn)
            .bytes("PPID", &self.ppid);
        let description = match &self.platform_instance_id {
            Some(id) => description.bytes("platform instance id", id),
            None => description.text("platform instance id", "not stated"),
        };
        description.extend(self.features.describe())
    }
}

fn text<S: Serializer>(value: &CpuSvn, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn optional_hex<S: Serializer>(id: &Option<[u8; 16]>, serializer: S) -> Result<S::Ok, S::Error> {
    id.map(hex::encode).serialize(serializer)
}
