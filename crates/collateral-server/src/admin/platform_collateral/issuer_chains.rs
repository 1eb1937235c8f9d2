//! Issuer chains for the contents of an upload.

use percent_encoding::percent_decode_str;
use verify::PckCa;

use super::form::{CertificatesForm, present};
use crate::api::ApiError;
use crate::backend::Backend;

/// The issuer chains of a file, and the stored ones.
pub(super) struct IssuerChains<'a> {
    backend: &'a Backend,
    processor: Option<String>,
    platform: Option<String>,
    tcb_info: Option<String>,
    identity: Option<String>,
}

impl<'a> IssuerChains<'a> {
    /// Reads the chains of the file.
    pub(super) fn read(backend: &'a Backend, form: &CertificatesForm) -> Result<Self, ApiError> {
        let chain = |field: &str, encoded: Option<&String>| {
            let decoded = present(encoded).map(decoded).transpose();
            decoded.map_err(|error| error.at(format_args!("collaterals.certificates.{field}")))
        };
        let tcb_info = chain("TCB-Info-Issuer-Chain", form.tcb_info.as_ref())?;
        let sgx_tcb_info = chain("SGX-TCB-Info-Issuer-Chain", form.sgx_tcb_info.as_ref())?;
        Ok(Self {
            backend,
            processor: chain(pck_field(PckCa::Processor), form.pck.processor.as_ref())?,
            platform: chain(pck_field(PckCa::Platform), form.pck.platform.as_ref())?,
            tcb_info: tcb_info.or(sgx_tcb_info),
            identity: chain("SGX-Enclave-Identity-Issuer-Chain", form.identity.as_ref())?,
        })
    }

    /// The chain of a PCK CA in the file, else its valid stored chains.
    pub(super) fn pck(&self, ca: PckCa) -> Result<Vec<String>, ApiError> {
        let brought = match ca {
            PckCa::Processor => &self.processor,
            PckCa::Platform => &self.platform,
        };
        match brought {
            Some(chain) => Ok(vec![chain.clone()]),
            None => Ok(self.backend.pck_issuer_chains(ca)?),
        }
    }

    /// The chain of TCB info. The same certificate signs identities.
    pub(super) fn tcb_info(&self) -> Result<String, ApiError> {
        let chain = self.tcb_info.as_ref().or(self.identity.as_ref());
        chain.cloned().ok_or_else(|| missing("TCB-Info-Issuer-Chain"))
    }

    /// The chain of identities. The same certificate signs TCB info.
    pub(super) fn identity(&self) -> Result<String, ApiError> {
        let chain = self.identity.as_ref().or(self.tcb_info.as_ref());
        chain.cloned().ok_or_else(|| missing("SGX-Enclave-Identity-Issuer-Chain"))
    }
}

/// The field for the issuer chain of a PCK CA, below `certificates`.
pub(super) fn pck_field(ca: PckCa) -> &'static str {
    match ca {
        PckCa::Processor => "SGX-PCK-Certificate-Issuer-Chain.PROCESSOR",
        PckCa::Platform => "SGX-PCK-Certificate-Issuer-Chain.PLATFORM",
    }
}

/// The error for a missing field below `certificates`.
pub(super) fn missing(field: &str) -> ApiError {
    ApiError::Invalid(format!("collaterals.certificates lacks {field}"))
}

/// Decodes URL-encoded PEM.
pub(super) fn decoded(encoded: &str) -> Result<String, ApiError> {
    let decoded = percent_decode_str(encoded).decode_utf8();
    Ok(decoded.map_err(|_| ApiError::invalid("the value is not URL-encoded PEM"))?.into_owned())
}
