//! The fields of structures in JSON and YAML: typed, and named as in the verdict of `verify`.

use serde::Serialize;
use sgx::{
    AttestationKeyId, Attributes, QeReportInfo, Quote, QuoteHeader, Report, ReportBody, TargetInfo,
};
use verify::{Enclave, Td};

use super::Encode;
use super::certification::{Certification, certification};

/// The fields of one structure.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum Fields {
    Quote(Box<QuoteFields>),
    Report(Box<ReportFields>),
    TargetInfo(TargetInfoFields),
    QeReportInfo(Box<QeReportInfoFields>),
    AttestationKeyId(AttestationKeyIdFields),
}

/// A quote. It has either of the members `enclave` and `td`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct QuoteFields {
    header: HeaderFields,
    #[serde(skip_serializing_if = "Option::is_none")]
    enclave: Option<Enclave>,
    #[serde(skip_serializing_if = "Option::is_none")]
    td: Option<Td>,
    /// ECDSA P-256, r ‖ s, 64 bytes.
    signature: String,
    /// x ‖ y, 64 bytes.
    attestation_key: String,
    qe_report: Enclave,
    /// ECDSA P-256, r ‖ s, 64 bytes.
    qe_report_signature: String,
    authentication_data: String,
    certification_data: Certification,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct HeaderFields {
    version: u16,
    attestation_key_type: u16,
    tee_type: u32,
    qe_svn: u16,
    pce_svn: u16,
    qe_vendor_id: String,
    user_data: String,
}

/// A REPORT, or the part of one that another structure has.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ReportFields {
    enclave: Enclave,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct TargetInfoFields {
    mr_enclave: String,
    debug: bool,
    kss: bool,
    attributes_flags: u64,
    attributes_xfrm: u64,
    misc_select: u32,
    config_id: String,
    config_svn: u16,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct QeReportInfoFields {
    nonce: String,
    target_info: TargetInfoFields,
    qe_report: ReportFields,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct AttestationKeyIdFields {
    id: u16,
    version: u16,
    mr_signer_length: u16,
    mr_signer: String,
    prod_id: u32,
    extended_prod_id: String,
    config_id: String,
    family_id: String,
    algorithm_id: u32,
    spid: String,
    attestation_key_type: u16,
}

impl Fields {
    pub(super) fn of_quote(quote: &Quote, encode: Encode<'_>) -> Self {
        let signature = &quote.signature;
        Self::Quote(Box::new(QuoteFields {
            header: HeaderFields::new(&quote.header, encode),
            enclave: quote.body.enclave().map(|body| Enclave::new(body, encode)),
            td: Td::new(&quote.body, encode),
            signature: encode(&signature.signature),
            attestation_key: encode(&signature.attestation_public_key),
            qe_report: Enclave::new(&signature.qe_report, encode),
            qe_report_signature: encode(&signature.qe_report_signature),
            authentication_data: encode(&signature.authentication_data),
            certification_data: certification(&signature.certification_data, encode),
        }))
    }

    pub(super) fn of_report_body(body: &ReportBody, encode: Encode<'_>) -> Self {
        Self::Report(Box::new(ReportFields {
            enclave: Enclave::new(body, encode),
            key_id: None,
            mac: None,
        }))
    }

    pub(super) fn of_report(report: &Report, encode: Encode<'_>) -> Self {
        Self::Report(Box::new(ReportFields::new(report, encode)))
    }

    pub(super) fn of_target_info(target: &TargetInfo, encode: Encode<'_>) -> Self {
        Self::TargetInfo(TargetInfoFields::new(target, encode))
    }

    pub(super) fn of_qe_report_info(info: &QeReportInfo, encode: Encode<'_>) -> Self {
        Self::QeReportInfo(Box::new(QeReportInfoFields {
            nonce: encode(&info.nonce),
            target_info: TargetInfoFields::new(&info.target_info, encode),
            qe_report: ReportFields::new(&info.qe_report, encode),
        }))
    }

    pub(super) fn of_key_id(key_id: &AttestationKeyId, encode: Encode<'_>) -> Self {
        Self::AttestationKeyId(AttestationKeyIdFields {
            id: key_id.id.get(),
            version: key_id.version.get(),
            mr_signer_length: key_id.mr_signer_length.get(),
            mr_signer: encode(&key_id.mr_signer),
            prod_id: key_id.prod_id.get(),
            extended_prod_id: encode(&key_id.extended_prod_id),
            config_id: encode(&key_id.config_id),
            family_id: encode(&key_id.family_id),
            algorithm_id: key_id.algorithm_id.get(),
            spid: encode(&key_id.spid),
            attestation_key_type: key_id.att_key_type.get(),
        })
    }
}

impl HeaderFields {
    fn new(header: &QuoteHeader, encode: Encode<'_>) -> Self {
        Self {
            version: header.version.get(),
            attestation_key_type: header.attestation_key_type.get(),
            tee_type: header.tee_type.get(),
            qe_svn: header.qe_svn.get(),
            pce_svn: header.pce_svn.get(),
            qe_vendor_id: encode(&header.qe_vendor_id),
            user_data: encode(&header.user_data),
        }
    }
}

impl ReportFields {
    fn new(report: &Report, encode: Encode<'_>) -> Self {
        Self {
            enclave: Enclave::new(&report.body, encode),
            key_id: Some(encode(&report.key_id.0)),
            mac: Some(encode(&report.mac)),
        }
    }
}

impl TargetInfoFields {
    fn new(target: &TargetInfo, encode: Encode<'_>) -> Self {
        let Attributes { flags, xfrm } = target.attributes;
        Self {
            mr_enclave: encode(&target.mr_enclave.0),
            debug: target.attributes.is_debug(),
            kss: target.attributes.has_kss(),
            attributes_flags: flags.get(),
            attributes_xfrm: xfrm.get(),
            misc_select: target.misc_select.get(),
            config_id: encode(&target.config_id),
            config_svn: target.config_svn.get(),
        }
    }
}
