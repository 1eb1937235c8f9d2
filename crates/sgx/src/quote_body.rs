//! The body of a quote: an enclave or a trust domain.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::quote_reader::Reader;
use crate::{
    Description, QuoteHeader, QuoteParseError, ReportBody, ReportData, TdReport10, TdReport15,
    TdReport15Ex,
};

/// The quoted enclave or TD. The TEE type determines the body of quotes of version 3 and 4; those
/// of version 5 state its type and size.
#[derive(Clone, PartialEq, Eq)]
pub enum QuoteBody {
    /// An enclave: type 1, 384 bytes.
    Enclave(Box<ReportBody>),
    /// A trust domain of TDX 1.0: type 2, 584 bytes.
    Td10(Box<TdReport10>),
    /// A trust domain of TDX 1.5: type 3, 648 bytes.
    Td15(Box<TdReport15>),
    /// A trust domain of TDX 1.5 with the extended report: type 4, 885 bytes.
    Td15Ex(Box<TdReport15Ex>),
}

/// The descriptor before the body in a version 5 quote, 6 bytes.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct BodyDescriptor {
    body_type: U16,
    size: U32,
}

impl QuoteBody {
    /// The enclave, if it is one.
    #[must_use]
    pub fn enclave(&self) -> Option<&ReportBody> {
        match self {
            Self::Enclave(body) => Some(body),
            Self::Td10(_) | Self::Td15(_) | Self::Td15Ex(_) => None,
        }
    }

    /// The enclave, if it is one, to change it.
    pub fn enclave_mut(&mut self) -> Option<&mut ReportBody> {
        match self {
            Self::Enclave(body) => Some(body),
            Self::Td10(_) | Self::Td15(_) | Self::Td15Ex(_) => None,
        }
    }

    /// The part that all TD reports have in common, if it is a trust domain.
    #[must_use]
    pub fn td(&self) -> Option<&TdReport10> {
        match self {
            Self::Enclave(_) => None,
            Self::Td10(report) => Some(report),
            Self::Td15(report) => Some(&report.base),
            Self::Td15Ex(report) => Some(&report.base.base),
        }
    }

    /// The part that TDX 1.5 adds, if it is a trust domain of TDX 1.5.
    #[must_use]
    pub fn td_15(&self) -> Option<&TdReport15> {
        match self {
            Self::Enclave(_) | Self::Td10(_) => None,
            Self::Td15(report) => Some(report),
            Self::Td15Ex(report) => Some(&report.base),
        }
    }

    /// The data that the enclave or the TD binds to its report.
    #[must_use]
    pub fn report_data(&self) -> &ReportData {
        match self {
            Self::Enclave(body) => &body.report_data,
            Self::Td10(report) => &report.report_data,
            Self::Td15(report) => &report.base.report_data,
            Self::Td15Ex(report) => &report.base.base.report_data,
        }
    }

    /// The bytes of the body alone.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Enclave(body) => body.as_bytes(),
            Self::Td10(report) => report.as_bytes(),
            Self::Td15(report) => report.as_bytes(),
            Self::Td15Ex(report) => report.as_bytes(),
        }
    }

    /// Reads the body after this header.
    pub(crate) fn read(
        header: &QuoteHeader,
        reader: &mut Reader<'_>,
    ) -> Result<Self, QuoteParseError> {
        match (header.version.get(), header.tee_type.get()) {
            (5, tee_type) => Self::read_described(tee_type, reader),
            (4, QuoteHeader::TDX) => Ok(Self::Td10(Box::new(reader.structure("TD report")?))),
            (3, _) | (4, QuoteHeader::SGX) => {
                Ok(Self::Enclave(Box::new(reader.structure("report body")?)))
            }
            (_, tee_type) => Err(QuoteParseError::TeeType(tee_type)),
        }
    }

    fn read_described(tee_type: u32, reader: &mut Reader<'_>) -> Result<Self, QuoteParseError> {
        let descriptor: BodyDescriptor = reader.structure("body descriptor")?;
        let (body_type, size) = (descriptor.body_type.get(), descriptor.size.get());
        Ok(match (tee_type, body_type, size) {
            (QuoteHeader::SGX, 1, 384) => Self::Enclave(Box::new(reader.structure("report body")?)),
            (QuoteHeader::TDX, 2, 584) => Self::Td10(Box::new(reader.structure("TD report")?)),
            (QuoteHeader::TDX, 3, 648) => Self::Td15(Box::new(reader.structure("TD report")?)),
            (QuoteHeader::TDX, 4, 885) => Self::Td15Ex(Box::new(reader.structure("TD report")?)),
            _ => return Err(QuoteParseError::Body { body_type, size, tee_type }),
        })
    }

    /// The bytes of the body in a quote of this version.
    pub(crate) fn to_bytes(&self, version: u16) -> Vec<u8> {
        let body = self.as_bytes();
        let descriptor = (version == 5).then(|| self.descriptor());
        let descriptor = descriptor.as_ref().map_or(&[][..], IntoBytes::as_bytes);
        [descriptor, body].concat()
    }

    fn descriptor(&self) -> BodyDescriptor {
        let (body_type, size) = match self {
            Self::Enclave(_) => (1, 384),
            Self::Td10(_) => (2, 584),
            Self::Td15(_) => (3, 648),
            Self::Td15Ex(_) => (4, 885),
        };
        BodyDescriptor { body_type: U16::new(body_type), size: U32::new(size) }
    }

    /// Adds the name and the fields of the body.
    #[must_use]
    pub fn describe_into(&self, description: Description) -> Description {
        match self {
            Self::Enclave(body) => description.fields("application enclave report", &**body),
            Self::Td10(report) => description.fields("TD report 1.0", &**report),
            Self::Td15(report) => description.fields("TD report 1.5", &**report),
            Self::Td15Ex(report) => description.fields("TD report 1.5 extended", &**report),
        }
    }
}

impl From<ReportBody> for QuoteBody {
    fn from(body: ReportBody) -> Self {
        Self::Enclave(Box::new(body))
    }
}

impl std::fmt::Debug for QuoteBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "QuoteBody {{\n{}}}", self.describe_into(Description::default()))
    }
}
