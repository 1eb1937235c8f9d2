//! Results, in memory that C programs free.

use collateral::settings::CollateralForm;
use collateral::{CollateralId, PckCertificateRequest, Record};
use verify::{EnclaveId, PckCa, Tee};

use crate::block::{Block, Text};
use crate::c_types::{QuoteConfig, QveCollateral, tee_type, version};
use crate::failure::Failure;
use crate::provider::{Provider, without_zero_byte};

/// A PCK certificate, with its chain and its TCB.
pub(crate) fn quote_config(
    provider: &Provider,
    request: PckCertificateRequest,
) -> Result<*mut QuoteConfig, Failure> {
    let pck = provider.pck(request)?;
    let (block, [chain]) = Block::holding([&pck.chain])?;
    Ok(block.finish(QuoteConfig {
        version: QuoteConfig::VERSION,
        cpu_svn: pck.contents.cpu_svn.0,
        pce_svn: pck.contents.pce_svn,
        data_size: chain.size,
        data: chain.start,
    }))
}

/// The collateral for quotes of platforms with this FMSPC and CA.
pub(crate) fn verification_collateral(
    provider: &Provider,
    tee: Tee,
    fmspc: [u8; 6],
    ca: PckCa,
) -> Result<*mut QveCollateral, Failure> {
    let (set, form) = (provider.settings().evaluation, provider.form());
    let enclave = match tee {
        Tee::Sgx => EnclaveId::Qe,
        Tee::Tdx => EnclaveId::TdQe,
    };
    let pck_crl = provider.get(CollateralId::PckCrl(ca))?;
    let tcb_info = provider.get(CollateralId::TcbInfo { tee, fmspc, set })?;
    let qe_identity = provider.get(CollateralId::EnclaveIdentity { enclave, set })?;
    let root_ca_crl = provider.get(CollateralId::RootCaCrl)?;
    let (block, texts) = Block::holding([
        chain(&pck_crl)?,
        &crl(&root_ca_crl, form),
        &crl(&pck_crl, form),
        chain(&tcb_info)?,
        body(&tcb_info)?,
        chain(&qe_identity)?,
        body(&qe_identity)?,
    ])?;
    let (major_version, minor_version) = version(form);
    Ok(block.finish(QveCollateral { major_version, minor_version, tee_type: tee_type(tee), texts }))
}

/// The identity of the Quote Verification Enclave and its chain, one block each.
pub(crate) fn qve_identity(provider: &Provider) -> Result<[Text; 2], Failure> {
    let set = provider.settings().evaluation;
    let record = provider.get(CollateralId::EnclaveIdentity { enclave: EnclaveId::Qve, set })?;
    let (identity_block, [identity]) = Block::holding([body(&record)?])?;
    let (chain_block, [chain]) = Block::holding([chain(&record)?])?;
    identity_block.finish(());
    chain_block.finish(());
    Ok([identity, chain])
}

/// The CRL of the root, and its size.
pub(crate) fn root_ca_crl(provider: &Provider) -> Result<(*mut u8, u16), Failure> {
    let crl = crl(&*provider.get(CollateralId::RootCaCrl)?, provider.form());
    let (block, [text]) = Block::holding([&crl])?;
    let size = u16::try_from(text.size).map_err(|_| Failure::TooLarge)?;
    block.finish(());
    Ok((text.start, size))
}

fn chain(record: &Record) -> Result<&[u8], Failure> {
    without_zero_byte(&record.item, record.document.issuer_chain.as_bytes())
}

fn body(record: &Record) -> Result<&[u8], Failure> {
    without_zero_byte(&record.item, &record.document.body)
}

fn crl(record: &Record, form: CollateralForm) -> Vec<u8> {
    let der = &record.document.body;
    match form {
        CollateralForm::HexadecimalCrls => hex::encode(der).into_bytes(),
        CollateralForm::DerCrls => der.clone(),
    }
}
