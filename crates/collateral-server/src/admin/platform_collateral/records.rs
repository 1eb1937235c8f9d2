//! The collateral of a file: CRLs, TCB infos, identities.

use collateral::{CheckError, CollateralId, Document, Record, TcbUpdate, check};
use serde_json::value::RawValue;
use verify::{EnclaveId, PckCa, Tee};

use super::Skipped;
use super::form::{CollateralsForm, TcbInfosForm, present};
use super::issuer_chains::{IssuerChains, pck_field};
use crate::admin::form;
use crate::api::ApiError;
use crate::backend::Backend;

/// The source in the records of the cache.
const SOURCE: &str = "an administrator";

/// Checks the collateral. `skipped` gets the CRLs without an issuer chain.
pub(super) fn records(
    backend: &Backend,
    form: &CollateralsForm,
    chains: &IssuerChains<'_>,
    skipped: &mut Skipped,
) -> Result<Vec<Record>, ApiError> {
    let mut documents = identities(form, chains)?;
    for (index, infos) in form.tcbinfos.iter().enumerate() {
        let place = format!("collaterals.tcbinfos[{index}]");
        documents.extend(tcb_infos(&place, infos, chains)?);
    }
    if let Some(digits) = present(form.rootcacrl.as_ref()) {
        let body = der("collaterals.rootcacrl", digits)?;
        documents.push((CollateralId::RootCaCrl, Document { body, issuer_chain: String::new() }));
    }
    let records = documents.into_iter().map(|(item, document)| record(backend, item, document));
    let mut records: Vec<_> = records.collect::<Result<_, _>>()?;
    let crls = [
        (PckCa::Processor, "collaterals.pckcacrl.processorCrl", &form.pckcacrl.processor_crl),
        (PckCa::Platform, "collaterals.pckcacrl.platformCrl", &form.pckcacrl.platform_crl),
    ];
    for (ca, field, digits) in crls {
        if let Some(digits) = present(digits.as_ref()) {
            let body = der(field, digits)?;
            match pck_crl(backend, ca, &body, chains)? {
                Some(record) => records.push(record),
                None => skipped.add(format!(
                    "{field}: neither this file ({}) nor what is kept here has the issuer chain \
                     of the PCK {ca} CA",
                    pck_field(ca)
                )),
            }
        }
    }
    Ok(records)
}

/// The CRL of a PCK CA, checked with the first issuer chain that verifies it; `None` without any
/// chain. Intel's tools always upload both CRLs, but only the chains of their platforms.
fn pck_crl(
    backend: &Backend,
    ca: PckCa,
    body: &[u8],
    chains: &IssuerChains<'_>,
) -> Result<Option<Record>, ApiError> {
    let mut result = Ok(None);
    for issuer_chain in chains.pck(ca)? {
        let document = Document { body: body.to_vec(), issuer_chain };
        result = record(backend, CollateralId::PckCrl(ca), document).map(Some);
        if result.is_ok() {
            break;
        }
    }
    result
}

fn record(backend: &Backend, item: CollateralId, document: Document) -> Result<Record, ApiError> {
    let fetcher = backend.cache().fetcher();
    let fetched = fetcher.now();
    let validity = check(&item, &document, fetcher.roots(), fetched);
    let validity = validity.map_err(|error| integrity(&item, &error))?;
    Ok(Record { item, document, validity, fetched, source: SOURCE.to_owned() })
}

/// The TCB infos at this place in the body.
fn tcb_infos(
    place: &str,
    form: &TcbInfosForm,
    chains: &IssuerChains<'_>,
) -> Result<Vec<(CollateralId, Document)>, ApiError> {
    form.check_version().map_err(|error| error.at(place))?;
    let fmspc = form::fixed(format_args!("{place}.fmspc"), &form.fmspc)?;
    let forms = [
        (Tee::Sgx, TcbUpdate::Standard, &form.sgx_tcbinfo),
        (Tee::Sgx, TcbUpdate::Early, &form.sgx_tcbinfo_early),
        (Tee::Tdx, TcbUpdate::Standard, &form.tdx_tcbinfo),
        (Tee::Tdx, TcbUpdate::Early, &form.tdx_tcbinfo_early),
    ];
    let mut documents = Vec::new();
    for (tee, set, json) in forms {
        let json = json.as_ref().map(|json| compact(json));
        if let Some(json) = json.filter(|json| !["\"\"", "{}"].contains(&json.as_str())) {
            let (body, issuer_chain) = (json.into_bytes(), chains.tcb_info()?);
            documents
                .push((CollateralId::TcbInfo { tee, fmspc, set }, Document { body, issuer_chain }));
        }
    }
    Ok(documents)
}

fn identities(
    form: &CollateralsForm,
    chains: &IssuerChains<'_>,
) -> Result<Vec<(CollateralId, Document)>, ApiError> {
    let forms = [
        (EnclaveId::Qe, TcbUpdate::Standard, &form.qeidentity),
        (EnclaveId::Qe, TcbUpdate::Early, &form.qeidentity_early),
        (EnclaveId::TdQe, TcbUpdate::Standard, &form.tdqeidentity),
        (EnclaveId::TdQe, TcbUpdate::Early, &form.tdqeidentity_early),
        (EnclaveId::Qve, TcbUpdate::Standard, &form.qveidentity),
        (EnclaveId::Qve, TcbUpdate::Early, &form.qveidentity_early),
    ];
    let mut documents = Vec::new();
    for (enclave, set, json) in forms {
        if let Some(json) = present(json.as_ref()) {
            let (body, issuer_chain) = (json.as_bytes().to_vec(), chains.identity()?);
            let item = CollateralId::EnclaveIdentity { enclave, set };
            documents.push((item, Document { body, issuer_chain }));
        }
    }
    Ok(documents)
}

fn der(field: &str, digits: &str) -> Result<Vec<u8>, ApiError> {
    hex::decode(digits.trim())
        .map_err(|_| ApiError::Invalid(format!("{field} is not a CRL in hexadecimal DER")))
}

/// The error for invalid collateral.
pub(super) fn integrity(item: &CollateralId, error: &CheckError) -> ApiError {
    ApiError::Integrity(format!("{item}: {error}"))
}

/// Removes the spaces that tools add: the signed text has none.
fn compact(json: &RawValue) -> String {
    let (mut in_text, mut is_escaped) = (false, false);
    let keep = |character: &char| {
        let is_quote = *character == '"' && !is_escaped;
        is_escaped = in_text && *character == '\\' && !is_escaped;
        in_text ^= is_quote;
        in_text || !character.is_ascii_whitespace()
    };
    json.get().chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_go_but_not_those_in_texts() {
        let json = "{ \"a b\" : [ 1,\n 2 ] , \"q\\\" \\\\\" :\t\" \" }";
        let json: &RawValue = serde_json::from_str(json).unwrap();
        assert_eq!(compact(json), "{\"a b\":[1,2],\"q\\\" \\\\\":\" \"}");
    }
}
