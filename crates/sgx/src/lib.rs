//! SGX byte layouts and code tables.
//!
//! The structures have the memory layout of the processor, the Quoting Enclave or the AESM
//! protocol: little-endian, without padding. Reserved fields are preserved, so parsing and
//! serializing are exact inverses.
//!
//! Structures of a fixed size implement zerocopy's traits: `T::read_from_bytes` and
//! `value.as_bytes()`; [`parse`] reads with a typed error. A [`Quote`] has parts of variable size
//! and its own [`Quote::parse`].
//!
//! This crate does no input or output, and neither makes nor verifies quotes.

mod aesm_error;
mod attestation_key_id;
mod attestation_key_id_list;
mod attributes;
mod bytes;
mod certification_data;
mod collateral;
mod describe;
mod key_request;
mod qe_report_info;
mod quote;
mod quote3_error;
mod quote_body;
mod quote_header;
mod quote_reader;
mod quote_signature;
mod report;
mod sgx_status;
mod sig_struct;
mod target_info;
mod td_attributes;
mod td_report;
mod tee;

pub use aesm_error::AesmError;
pub use attestation_key_id::AttestationKeyId;
pub use attributes::Attributes;
pub use bytes::{
    ConfigId, CpuSvn, Fmspc, IsvExtProdId, IsvFamilyId, KeyId, Measurement, MrEnclave, MrSigner,
    PlatformInstanceId, Ppid, ReportData, SizeError, TeeTcbSvn, WrongHexadecimal, parse,
};
pub use certification_data::{CertificationData, CertificationDataType, PckReference};
pub use collateral::Collateral;
pub use describe::{Describe, Description, Value};
pub use key_request::{KeyName, KeyPolicy, KeyRequest};
pub use qe_report_info::QeReportInfo;
pub use quote::Quote;
pub use quote_body::QuoteBody;
pub use quote_header::QuoteHeader;
pub use quote_reader::QuoteParseError;
pub use quote_signature::QuoteSignature;
pub use quote3_error::Quote3Error;
pub use report::{Report, ReportBody};
pub use sgx_status::{QuoteExCall, SgxStatus};
pub use sig_struct::SigStruct;
pub use target_info::TargetInfo;
pub use td_attributes::TdAttributes;
pub use td_report::{TdReport10, TdReport15, TdReport15Ex};
pub use tee::Tee;
/// Little-endian integers as they lie in the structures.
pub use zerocopy::little_endian::{U16, U32, U64};
/// The two directions between a structure and its bytes.
pub use zerocopy::{FromBytes, IntoBytes};
