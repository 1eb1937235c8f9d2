//! The flows of the supported clients.
//!
//! The messages of Intel's libraries, Gramine and Fortanix's crate are those of recordings; a test
//! compares them byte by byte. The others follow the clients' sources.

mod fortanix;
mod gramine;
mod intel;
mod oasis;
mod open_enclave;

use crate::flow::{Flow, PubKeyIdBuffer, RequestTemplate};
use crate::{KeyId, QuoteBuffer, ReportFor, Requirement, Step};

/// The flows of all clients.
pub static FLOWS: [&Flow; 6] = [
    &intel::QUOTE_EX,
    &intel::DCAP_QL,
    &open_enclave::OPEN_ENCLAVE,
    &gramine::GRAMINE,
    &fortanix::AESM_CLIENT,
    &oasis::OASIS,
];

/// The number of key ids.
const fn key_id_count(call: &'static str, timeout: Option<u32>) -> Step {
    let requires = &[Requirement::AKeyId];
    Step { call, request: RequestTemplate::KeyIdCount, timeout, requires }
}

/// The key ids.
const fn key_ids(call: &'static str, timeout: Option<u32>) -> Step {
    let requires = &[Requirement::KeyIdsFillBuffer, Requirement::EcdsaKeyId];
    Step { call, request: RequestTemplate::KeyIds, timeout, requires }
}

/// The size of the public key id.
const fn pub_key_id_size(
    call: &'static str,
    key_id: KeyId,
    buffer: PubKeyIdBuffer,
    timeout: Option<u32>,
) -> Step {
    let request = RequestTemplate::InitQuote { key_id, with_pub_key_id: false, buffer };
    Step { call, request, timeout, requires: &[Requirement::PubKeyIdSize] }
}

/// Target info and public key id.
const fn target_info(
    call: &'static str,
    key_id: KeyId,
    buffer: PubKeyIdBuffer,
    timeout: Option<u32>,
) -> Step {
    let request = RequestTemplate::InitQuote { key_id, with_pub_key_id: true, buffer };
    let requires = &[Requirement::TargetInfo, Requirement::PubKeyIdFillsBuffer];
    Step { call, request, timeout, requires }
}

/// The size of a quote.
const fn quote_size(call: &'static str, key_id: KeyId, timeout: Option<u32>) -> Step {
    let request = RequestTemplate::QuoteSize { key_id };
    Step { call, request, timeout, requires: &[Requirement::QuoteSize] }
}

/// A quote for the service's QE.
const fn quote(
    call: &'static str,
    key_id: KeyId,
    qe_report_info: bool,
    buffer: QuoteBuffer,
    timeout: Option<u32>,
) -> Step {
    let report_for = ReportFor::ThisQe;
    let request = RequestTemplate::Quote { key_id, report_for, qe_report_info, buffer };
    Step {
        call,
        request,
        timeout,
        requires: &[Requirement::QuoteFillsBuffer, Requirement::QuoteAnswersRequest],
    }
}
