//! Collateral in a block of memory, as `sgx_ql_qve_collateral_t`.

use collateral::settings::CollateralForm;
use collateral::{CollateralId, Record};
use verify::{EnclaveId, PckCa, Tee};

use crate::block::{Block, Text};
use crate::failure::Failure;
use crate::provider::{Provider, without_zero_byte};

/// `sgx_ql_qve_collateral_t`, 120 bytes: the collateral for a quote.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct QveCollateral {
    /// 1, 3 or 4; the minor version says how CRLs of 3 are encoded.
    pub major_version: u16,
    /// Of 3: 0 for hexadecimal DER, 1 for DER.
    pub minor_version: u16,
    /// 0: SGX. 0x81: TDX.
    pub tee_type: u32,
    /// The chain of the PCK CRL, the root's CRL, the PCK CRL, the chain of the TCB info, TCB info,
    /// the chain of the QE identity, QE identity.
    pub texts: [Text; 7],
}

const _: () = assert!(size_of::<QveCollateral>() == 120);

/// The collateral for quotes of platforms with this FMSPC and CA. [`free`](crate::free) frees it.
///
/// # Errors
/// [`Failure`].
pub fn verification_collateral(
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
///
/// # Errors
/// [`Failure`].
pub fn qve_identity(provider: &Provider) -> Result<[Text; 2], Failure> {
    let set = provider.settings().evaluation;
    let record = provider.get(CollateralId::EnclaveIdentity { enclave: EnclaveId::Qve, set })?;
    let (identity_block, [identity]) = Block::holding([body(&record)?])?;
    let (chain_block, [chain]) = Block::holding([chain(&record)?])?;
    let _: [*mut (); 2] = [identity_block.finish(()), chain_block.finish(())];
    Ok([identity, chain])
}

/// The CRL of the root in a block, and its size in bytes.
///
/// # Errors
/// [`Failure`].
pub fn root_ca_crl(provider: &Provider) -> Result<(*mut u8, u16), Failure> {
    let crl = crl(&*provider.get(CollateralId::RootCaCrl)?, provider.form());
    let (block, [text]) = Block::holding([&crl])?;
    let size = u16::try_from(text.size).map_err(|_| Failure::TooLarge)?;
    let _: *mut () = block.finish(());
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

/// `tee_type` of [`QveCollateral`].
fn tee_type(tee: Tee) -> u32 {
    match tee {
        Tee::Sgx => 0,
        Tee::Tdx => 0x81,
    }
}

/// Major and minor version of [`QveCollateral`].
fn version(form: CollateralForm) -> (u16, u16) {
    match form {
        CollateralForm::HexadecimalCrls => (3, 0),
        CollateralForm::DerCrls => (3, 1),
    }
}
