//! The verification of a quote, with the checks and results of Intel's library in their order.
#![allow(unsafe_code, reason = "C programs pass pointers")]

use std::ffi::c_void;

use quote_provider::QveCollateral;
use verify::Tee;

use crate::c_types::{Out, RawCollateral, SupplementalBuffer, quote};
use crate::failure::Failure;
use crate::provider::Fetched;
use crate::qv_result::QvResult;
use crate::state::State;
use crate::supplemental::{Advisories, Version, seconds, supplemental};

/// The arguments of a verification, unchecked.
pub(crate) struct Arguments {
    pub(crate) quote: *const u8,
    pub(crate) quote_size: u32,
    /// NULL: it is fetched.
    pub(crate) collateral: *const QveCollateral,
    /// Seconds since 1970.
    pub(crate) expiration_check_date: i64,
    pub(crate) expiration_status: *mut u32,
    pub(crate) result: *mut u32,
    /// Not NULL: for a verification in Intel's enclave.
    pub(crate) report_info: *const c_void,
    pub(crate) supplemental: *mut u8,
    pub(crate) supplemental_size: u32,
    pub(crate) version: Version,
}

/// The arguments, checked as far as they do not depend on each other.
struct Checked<'a> {
    quote: &'a [u8],
    expiration_status: Out<u32>,
    result: Out<u32>,
    supplemental: Option<SupplementalBuffer>,
}

impl<'a> Checked<'a> {
    /// # Safety
    /// As for [`verify`].
    unsafe fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let (place, size) = (arguments.supplemental, arguments.supplemental_size);
        // SAFETY: the caller's promise.
        unsafe {
            let quote = quote::<'a>(arguments.quote, arguments.quote_size)?;
            let expiration_status =
                Out::required(arguments.expiration_status, "p_collateral_expiration_status")?;
            if arguments.expiration_check_date == 0 {
                return Err(Failure::argument("expiration_check_date is 0"));
            }
            let result = Out::required(arguments.result, "p_quote_verification_result")?;
            let supplemental = SupplementalBuffer::new(place, size)?;
            Ok(Self { quote, expiration_status, result, supplemental })
        }
    }
}

/// Verifies a quote, and writes the results.
///
/// # Safety
/// Pointers are NULL or point to as many bytes as the sizes say, and results do not overlap with
/// what is read.
pub(crate) unsafe fn verify(arguments: &Arguments) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    let checked = unsafe { Checked::new(arguments) }.inspect_err(|_| {
        // SAFETY: the caller's promise.
        if let Some(result) = unsafe { Out::new(arguments.result) } {
            result.write(QvResult::UNSPECIFIED.0);
        }
    })?;
    let Checked { quote, expiration_status, result, supplemental: buffer } = checked;
    let tee = tee(quote)?;
    if !arguments.report_info.is_null() {
        return Err(Failure::Enclave("a verification with a report (p_qve_report_info)"));
    }
    let fetched = match arguments.collateral.is_null() {
        true => Some(Fetched::for_quote(quote, tee)?),
        false => None,
    };
    let collateral = fetched.as_ref().map_or(arguments.collateral, Fetched::as_ptr);

    expiration_status.write(1);
    result.write(QvResult::UNSPECIFIED.0);
    if let Some(buffer) = buffer {
        buffer.check()?;
    }
    // SAFETY: the caller's promise, or that of the provider.
    let raw = unsafe { RawCollateral::read(collateral)? };
    if arguments.expiration_check_date < 0 {
        return Err(Failure::argument("expiration_check_date is before 1970"));
    }
    let state = State::of_process();
    let decoded = state.collateral.get(raw)?;
    let facts = state.verifier.examine(quote, &decoded.collateral).map_err(Failure::Evidence)?;
    let dates = facts.dates().with(decoded.pck_crl_chain_dates);
    let advisories = Advisories::new(&facts)?;
    if let Some(buffer) = buffer {
        buffer.write(&supplemental(arguments.version, &facts, dates, &advisories)?)?;
    }
    let has_expired = seconds(dates.earliest_expiration) <= arguments.expiration_check_date;
    expiration_status.write(has_expired.into());
    result.write(QvResult::of(facts.attested.tcb.status).0);
    Ok(())
}

/// The TEE type of a quote, at its bytes 4 to 7.
pub(crate) fn tee(quote: &[u8]) -> Result<Tee, Failure> {
    match tee_type(quote) {
        Some(0) => Ok(Tee::Sgx),
        Some(0x81) => Ok(Tee::Tdx),
        _ => Err(Failure::argument("the quote is neither of SGX nor of TDX")),
    }
}

fn tee_type(quote: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*quote.get(4..)?.first_chunk()?))
}
