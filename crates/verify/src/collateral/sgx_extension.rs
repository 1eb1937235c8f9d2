//! The SGX extension of PCK certificates, OID 1.2.840.113741.1.13.1.

use std::fmt;

use sgx::{CpuSvn, Describe, Description};
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use x509_cert::der::{self, Choice, Decode, DecodeValue, Reader, SliceReader, Tag, Tagged};

use super::certificate::Certificate;
use super::{CollateralError, PlatformFeatures};

const WHAT: &str = "the PCK certificate";

/// The extension: a sequence of entries, which have the numbers below after this identifier.
const EXTENSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1");
const PPID: u32 = 1;
/// A sequence of entries: the SVNs of components 1 to 16, PCESVN and CPUSVN.
const TCB: u32 = 2;
const PCE_SVN: u32 = 17;
const CPU_SVN: u32 = 18;
const PCE_ID: u32 = 3;
const FMSPC: u32 = 4;
const SGX_TYPE: u32 = 5;
const PLATFORM_INSTANCE_ID: u32 = 6;
/// A sequence of entries.
const CONFIGURATION: u32 = 7;
const DYNAMIC_PLATFORM: u32 = 1;
const CACHED_KEYS: u32 = 2;
const SMT: u32 = 3;

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
        Self::of(&Certificate::parse(WHAT, certificate.to_vec())?)
    }

    /// The extension of a certificate.
    pub(super) fn of(certificate: &Certificate) -> Result<Self, CollateralError> {
        let extension = certificate.extension(EXTENSION);
        let extension = extension.ok_or_else(|| unreadable("it has no SGX extension"))?;
        Self::parse(extension)
            .map_err(|error| unreadable(&format!("its SGX extension cannot be used: {error}")))
    }

    fn parse(extension: &[u8]) -> Result<Self, Damage> {
        let entries = Entries::read(EXTENSION, AnyRef::from_der(extension)?)?;
        let tcb = entries.sequence(TCB)?.ok_or(Damage::Missing("TCB"))?;
        let configuration = entries.sequence(CONFIGURATION)?;
        let feature = |number| match &configuration {
            Some(configuration) => configuration.get(number),
            None => Ok(None),
        };
        let mut tcb_components = [0; 16];
        for (number, component) in (1..).zip(&mut tcb_components) {
            *component = tcb.need(number, "SVN of a TCB component")?;
        }
        Ok(Self {
            ppid: entries.need_bytes(PPID, "PPID")?,
            cpu_svn: CpuSvn(tcb.need_bytes(CPU_SVN, "CPUSVN")?),
            tcb_components,
            pce_svn: tcb.need(PCE_SVN, "PCESVN")?,
            pce_id: entries.need_bytes(PCE_ID, "PCE id")?,
            fmspc: entries.need_bytes(FMSPC, "FMSPC")?,
            sgx_type: entries.need_enumerated(SGX_TYPE, "SGX type")?.into(),
            platform_instance_id: entries.bytes(PLATFORM_INSTANCE_ID, "platform instance id")?,
            features: PlatformFeatures {
                dynamic_platform: feature(DYNAMIC_PLATFORM)?,
                cached_keys: feature(CACHED_KEYS)?,
                smt: feature(SMT)?,
            },
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

/// The reason that an extension cannot be used.
#[derive(Debug, thiserror::Error)]
enum Damage {
    #[error("it is not the DER of its form")]
    Der(#[from] der::Error),
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("its {0} has a wrong size")]
    Size(&'static str),
    #[error("it has an entry twice")]
    Twice,
}

/// A sequence of entries, whose identifiers are that of the sequence and a number.
struct Entries<'a> {
    id: ObjectIdentifier,
    entries: Vec<(ObjectIdentifier, AnyRef<'a>)>,
}

impl<'a> Entries<'a> {
    fn read(id: ObjectIdentifier, sequence: AnyRef<'a>) -> Result<Self, Damage> {
        sequence.tag().assert_eq(Tag::Sequence)?;
        let mut reader = SliceReader::new(sequence.value())?;
        let mut entries = Vec::new();
        while !reader.is_finished() {
            let entry: (ObjectIdentifier, _) =
                reader.sequence(|pair| Ok::<_, der::Error>((pair.decode()?, pair.decode()?)))?;
            if entries.iter().any(|(id, _)| *id == entry.0) {
                return Err(Damage::Twice);
            }
            entries.push(entry);
        }
        Ok(Self { id, entries })
    }

    fn find(&self, number: u32) -> Result<Option<AnyRef<'a>>, Damage> {
        let id = self.id.push_arc(number).map_err(|_| Damage::Twice)?;
        Ok(self.entries.iter().find(|(other, _)| *other == id).map(|(_, value)| *value))
    }

    /// An optional sequence of entries.
    fn sequence(&self, number: u32) -> Result<Option<Self>, Damage> {
        let id = self.id.push_arc(number).map_err(|_| Damage::Twice)?;
        self.find(number)?.map(|value| Self::read(id, value)).transpose()
    }

    /// An optional value.
    fn get<T>(&self, number: u32) -> Result<Option<T>, Damage>
    where
        T: Choice<'a> + DecodeValue<'a, Error = der::Error>,
    {
        Ok(self.find(number)?.map(AnyRef::decode_as).transpose()?)
    }

    fn need<T>(&self, number: u32, name: &'static str) -> Result<T, Damage>
    where
        T: Choice<'a> + DecodeValue<'a, Error = der::Error>,
    {
        self.get(number)?.ok_or(Damage::Missing(name))
    }

    /// An optional octet string of this size.
    fn bytes<const N: usize>(
        &self,
        number: u32,
        name: &'static str,
    ) -> Result<Option<[u8; N]>, Damage> {
        let value = self.get::<&OctetStringRef>(number)?;
        let value = value.map(|value| value.as_bytes().try_into());
        value.transpose().map_err(|_| Damage::Size(name))
    }

    fn need_bytes<const N: usize>(
        &self,
        number: u32,
        name: &'static str,
    ) -> Result<[u8; N], Damage> {
        self.bytes(number, name)?.ok_or(Damage::Missing(name))
    }

    /// The number of an ENUMERATED.
    fn need_enumerated(&self, number: u32, name: &'static str) -> Result<u64, Damage> {
        let value = self.find(number)?.ok_or(Damage::Missing(name))?;
        value.tag().assert_eq(Tag::Enumerated)?;
        match value.value() {
            [] => Err(Damage::Size(name)),
            bytes if bytes.len() > size_of::<u64>() => Err(Damage::Size(name)),
            bytes => Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
        }
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
