//! `platformcollateral`: an administrator brings certificates and collateral.

use std::sync::Arc;

use axum::extract::{Request, State};
use collateral::{
    CheckError, Document, EvaluationSet, Item, KeepError, PckContents, PckList, PckTcb, Record,
    check,
};
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use verify::{EnclaveId, PckCa, Tee};

use super::form::{
    self, CertificatesForm, CollateralsForm, PckCertsForm, PlatformCollateralForm, PlatformForm,
    TcbInfosForm,
};
use super::{Admin, Administrator, MAX_COLLATERAL, body};
use crate::api::blocking;
use crate::keeper::{CheckedList, Keeper};
use crate::platform_store::{Authority, Registration};
use crate::refusal::Refusal;

/// What the records of the cache say of where they come from.
const SOURCE: &str = "an administrator";
/// What stands for a certificate that Intel has not made yet.
const NOT_AVAILABLE: &str = "Not available";

/// Keeps what is brought, if all of it holds.
pub(super) async fn bring(
    _: Administrator,
    State(admin): State<Admin>,
    request: Request,
) -> Result<&'static str, Refusal> {
    let closed = |_| Refusal::Unavailable("the server stops".to_owned());
    let bringing = Arc::clone(&admin.bringing).acquire_owned().await.map_err(closed)?;
    let body = body(request, MAX_COLLATERAL).await?;
    let (keeper, api) = (Arc::clone(&admin.keeper), admin.api.clone());
    blocking(move || {
        let result = keep(&keeper, &form::parse(&body)?);
        api.forget();
        drop(bringing);
        result
    })
    .await?;
    Ok("done")
}

/// Nothing is kept before everything is checked.
fn keep(keeper: &Keeper, form: &PlatformCollateralForm) -> Result<(), Refusal> {
    let records = records(keeper, &form.collaterals)?;
    let chains = &form.collaterals.certificates;
    let platforms = form.collaterals.pck_certs.iter();
    let platforms = platforms.map(|certs| platform(keeper, certs, chains, &form.platforms));
    let platforms: Vec<_> = platforms.collect::<Result<_, _>>()?;
    for record in &records {
        keeper.cache().keep(record).map_err(|error| match error {
            KeepError::Check(error) => integrity(&record.item, &error),
            KeepError::Write(error) => Refusal::Internal(error.to_string()),
        })?;
    }
    for Brought { registration, list, tcbs } in &platforms {
        keeper.pck().lists().replace(registration, list, tcbs, Authority::Administrator)?;
        let Registration { platform, manifest, .. } = registration;
        keeper.store().acknowledge(platform, tcbs, manifest)?;
    }
    Ok(())
}

/// The certificates of a platform.
struct Brought {
    registration: Registration,
    list: CheckedList,
    /// The TCBs at which the platform is known to be.
    tcbs: Vec<PckTcb>,
}

fn platform(
    keeper: &Keeper,
    form: &PckCertsForm,
    chains: &CertificatesForm,
    platforms: &[PlatformForm],
) -> Result<Brought, Refusal> {
    let registration = form.registration()?;
    let certificates = form.certs.iter().map(|cert| decoded(&cert.cert));
    let mut certificates: Vec<_> = certificates.collect::<Result<_, _>>()?;
    certificates.retain(|certificate| certificate != NOT_AVAILABLE);
    let first = certificates.first().ok_or_else(|| {
        Refusal::invalid("there is a platform in pck_certs that has no certificate in certs")
    })?;
    let contents =
        PckContents::read(first.as_bytes()).map_err(|error| Refusal::Invalid(error.to_string()))?;
    let issuer_chain = pck_chain(chains, contents.ca)?;
    let list = PckList { certificates, not_available: Vec::new(), issuer_chain };
    let checked = keeper.pck().lists().check(&list);
    let list = checked.map_err(|error| Refusal::Integrity(error.to_string()))?;
    if list.first.pce_id != registration.platform.pce_id {
        return Err(Refusal::invalid("there are PCK certificates of another PCE id"));
    }
    let mut tcbs = Vec::new();
    for other in platforms {
        let (key, tcb) = other.platform()?;
        tcbs.extend(tcb.filter(|_| key == registration.platform));
    }
    Ok(Brought { registration, list, tcbs })
}

/// The collateral, checked.
fn records(keeper: &Keeper, form: &CollateralsForm) -> Result<Vec<Record>, Refusal> {
    let mut documents = Vec::new();
    for infos in &form.tcbinfos {
        documents.extend(tcb_infos(infos, &form.certificates)?);
    }
    documents.extend(identities(form)?);
    let crls = [
        (PckCa::Processor, &form.pckcacrl.processor_crl),
        (PckCa::Platform, &form.pckcacrl.platform_crl),
    ];
    for (ca, crl) in crls {
        if let Some(digits) = crl.as_ref().filter(|digits| !digits.is_empty()) {
            let issuer_chain = pck_chain(&form.certificates, ca)?;
            let body = der(digits)?;
            documents.push((Item::PckCrl(ca), Document { body, issuer_chain }));
        }
    }
    if let Some(digits) = form.rootcacrl.as_ref().filter(|digits| !digits.is_empty()) {
        let document = Document { body: der(digits)?, issuer_chain: String::new() };
        documents.push((Item::RootCaCrl, document));
    }
    documents.into_iter().map(|(item, document)| record(keeper, item, document)).collect()
}

fn record(keeper: &Keeper, item: Item, document: Document) -> Result<Record, Refusal> {
    let fetcher = keeper.cache().fetcher();
    let fetched = fetcher.now();
    let validity = check(&item, &document, fetcher.roots(), fetched);
    let validity = validity.map_err(|error| integrity(&item, &error))?;
    Ok(Record { item, document, validity, fetched, source: SOURCE.to_owned() })
}

fn tcb_infos(
    form: &TcbInfosForm,
    chains: &CertificatesForm,
) -> Result<Vec<(Item, Document)>, Refusal> {
    let fmspc = form::fixed("fmspc", &form.fmspc)?;
    let forms = [
        (Tee::Sgx, EvaluationSet::Standard, &form.sgx_tcbinfo),
        (Tee::Sgx, EvaluationSet::Early, &form.sgx_tcbinfo_early),
        (Tee::Tdx, EvaluationSet::Standard, &form.tdx_tcbinfo),
        (Tee::Tdx, EvaluationSet::Early, &form.tdx_tcbinfo_early),
    ];
    let there = forms.into_iter().filter_map(|(tee, set, json)| Some((tee, set, json.as_ref()?)));
    there
        .map(|(tee, set, json)| {
            let issuer_chain = chain("TCB-Info-Issuer-Chain", chains.tcb_info.as_ref())?;
            let item = Item::TcbInfo { tee, fmspc, set };
            Ok((item, Document { body: compact(json).into_bytes(), issuer_chain }))
        })
        .collect()
}

fn identities(form: &CollateralsForm) -> Result<Vec<(Item, Document)>, Refusal> {
    let forms = [
        (EnclaveId::Qe, EvaluationSet::Standard, &form.qeidentity),
        (EnclaveId::Qe, EvaluationSet::Early, &form.qeidentity_early),
        (EnclaveId::TdQe, EvaluationSet::Standard, &form.tdqeidentity),
        (EnclaveId::TdQe, EvaluationSet::Early, &form.tdqeidentity_early),
        (EnclaveId::Qve, EvaluationSet::Standard, &form.qveidentity),
        (EnclaveId::Qve, EvaluationSet::Early, &form.qveidentity_early),
    ];
    let there = forms.into_iter().filter_map(|(enclave, set, json)| {
        Some((enclave, set, json.as_ref().filter(|json| !json.is_empty())?))
    });
    there
        .map(|(enclave, set, json)| {
            let name = "SGX-Enclave-Identity-Issuer-Chain";
            let issuer_chain = chain(name, form.certificates.identity.as_ref())?;
            let item = Item::EnclaveIdentity { enclave, set };
            Ok((item, Document { body: json.clone().into_bytes(), issuer_chain }))
        })
        .collect()
}

fn pck_chain(chains: &CertificatesForm, ca: PckCa) -> Result<String, Refusal> {
    let (name, encoded) = match ca {
        PckCa::Processor => ("PROCESSOR", &chains.pck.processor),
        PckCa::Platform => ("PLATFORM", &chains.pck.platform),
    };
    chain(&format!("SGX-PCK-Certificate-Issuer-Chain.{name}"), encoded.as_ref())
}

fn chain(name: &str, encoded: Option<&String>) -> Result<String, Refusal> {
    let missing = || Refusal::Invalid(format!("certificates lacks {name}"));
    decoded(encoded.filter(|encoded| !encoded.is_empty()).ok_or_else(missing)?)
}

fn decoded(encoded: &str) -> Result<String, Refusal> {
    let decoded = percent_decode_str(encoded).decode_utf8();
    let decoded = decoded.map_err(|_| Refusal::invalid("a certificate is not URL-encoded PEM"))?;
    Ok(decoded.into_owned())
}

fn der(digits: &str) -> Result<Vec<u8>, Refusal> {
    hex::decode(digits).map_err(|_| Refusal::invalid("a CRL is not hexadecimal DER"))
}

fn integrity(item: &Item, error: &CheckError) -> Refusal {
    Refusal::Integrity(format!("{item}: {error}"))
}

/// The JSON without the spaces that tools add: what was signed has none.
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
