//! The SGX extension of PCK certificates, OID 1.2.840.113741.1.13.1.

use std::fmt;

use dcap_qvl::intel::{PckExtension, parse_pck_extension};
use sgx::{CpuSvn, Describe, Description};
use x509_cert::der::asn1::ObjectIdentifier;

use super::{CollateralError, PlatformFeatures};

const WHAT: &str = "the PCK certificate";

/// The entry with the TCB; the 16 component SVNs are its entries 1 to 16.
const TCB: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1.2");

/// The platform of a PCK certificate, and the TCB that the PCK is derived for. Unverified unless it
/// is part of a [`PckCertificate`](crate::PckCertificate).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SgxExtension {
    /// Platform provisioning id, 16 bytes: identifies the processor package.
    pub ppid: [u8; 16],
    /// CPUSVN that the PCK is derived for.
    pub cpu_svn: CpuSvn,
    /// The SVNs of the 16 TCB components of this CPUSVN; TCB info compares these.
    pub tcb_components: [u8; 16],
    /// ISVSVN of the PCE that the PCK is derived for.
    pub pce_svn: u16,
    /// PCE id, 2 bytes, little-endian.
    pub pce_id: [u8; 2],
    /// FMSPC, 6 bytes: the kind of platform.
    pub fmspc: [u8; 6],
    /// The protection of enclaves' memory.
    pub sgx_type: SgxType,
    /// Platform instance id, 16 bytes: certificates of the PCK Platform CA have it.
    pub platform_instance_id: Option<[u8; 16]>,
    /// The platform's configuration.
    pub features: PlatformFeatures,
}

/// The protection of enclaves' memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SgxType {
    /// 0: encrypted, with an integrity tree.
    Standard,
    /// 1: encrypted.
    Scalable,
    /// 2: encrypted, with integrity.
    ScalableWithIntegrity,
    /// An undefined number.
    Unknown(u64),
}

impl SgxExtension {
    /// Reads the extension of a certificate in DER.
    ///
    /// # Errors
    /// [`CollateralError::Unreadable`] when the certificate is unreadable, or has no complete SGX
    /// extension.
    pub fn read(certificate: &[u8]) -> Result<Self, CollateralError> {
        let extension = parse_pck_extension(certificate)
            .map_err(|error| unreadable(&format!("it has no SGX extension: {error:#}")))?;
        let missized = |_| unreadable("its SGX extension has a value of the wrong size");
        let instance_id = extension.platform_instance_id.clone();
        Ok(Self {
            tcb_components: tcb_components(&extension)?,
            features: PlatformFeatures {
                dynamic_platform: extension.dynamic_platform,
                cached_keys: extension.cached_keys,
                smt: extension.smt_enabled,
            },
            ppid: extension.ppid.try_into().map_err(missized)?,
            cpu_svn: CpuSvn(extension.cpu_svn),
            pce_svn: extension.pce_svn,
            pce_id: extension.pce_id.try_into().map_err(missized)?,
            fmspc: extension.fmspc,
            sgx_type: SgxType::from(extension.sgx_type),
            platform_instance_id: instance_id
                .map(TryInto::try_into)
                .transpose()
                .map_err(missized)?,
        })
    }
}

impl Describe for SgxExtension {
    fn describe(&self) -> Description {
        let components = self.tcb_components.map(|svn| svn.to_string()).join(" ");
        let description = Description::default()
            .bytes("FMSPC", &self.fmspc)
            .bytes("PPID", &self.ppid)
            .bytes("PCE id", &self.pce_id)
            .text("TCB components", components)
            .bytes("CPUSVN", &self.cpu_svn.0)
            .text("PCESVN", self.pce_svn)
            .text("SGX type", self.sgx_type);
        let description = match &self.platform_instance_id {
            Some(id) => description.bytes("platform instance id", id),
            None => description.text("platform instance id", "not stated"),
        };
        description.extend(self.features.describe())
    }
}

fn tcb_components(extension: &PckExtension) -> Result<[u8; 16], CollateralError> {
    let mut components = [0; 16];
    for (number, component) in (1..).zip(&mut components) {
        *component = tcb_component(extension, number).ok_or_else(|| {
            unreadable(&format!("its SGX extension has no SVN of TCB component {number}"))
        })?;
    }
    Ok(components)
}

/// The SVN of a TCB component: an integer from 0 to 255, from 128 on with a zero byte before it.
fn tcb_component(extension: &PckExtension, number: u32) -> Option<u8> {
    let oid = TCB.push_arc(number).ok()?;
    match extension.get_value(&oid).ok()??[..] {
        [svn] | [0, svn] => Some(svn),
        _ => None,
    }
}

fn unreadable(reason: &(impl ToString + ?Sized)) -> CollateralError {
    CollateralError::unreadable(WHAT, reason)
}

impl From<u64> for SgxType {
    fn from(number: u64) -> Self {
        match number {
            0 => Self::Standard,
            1 => Self::Scalable,
            2 => Self::ScalableWithIntegrity,
            number => Self::Unknown(number),
        }
    }
}

impl fmt::Display for SgxType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("0 (standard)"),
            Self::Scalable => f.write_str("1 (scalable)"),
            Self::ScalableWithIntegrity => f.write_str("2 (scalable with integrity)"),
            Self::Unknown(number) => write!(f, "{number} (unknown)"),
        }
    }
}
