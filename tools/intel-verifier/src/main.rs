//! Verifies public production quotes through Intel's Rust crate, unmodified, over the library
//! `libsgx_dcap_quoteverify` that the linker finds. Prints a line for each check, and panics at the
//! first that fails.

mod sample;

use intel_tee_quote_verification_rs as intel;

use intel::quote3_error_t as Error;
use intel::sgx_ql_qv_result_t as Verdict;
use sample::Sample;

/// 2025-06-25T00:00:00Z, when all collateral of the samples was valid.
const VALID: i64 = 1_750_809_600;
/// 2025-08-01T00:00:00Z, when its TCB information had expired.
const EXPIRED: i64 = 1_754_006_400;

/// Supplemental data that a sample's PCK certificate and collateral contain.
struct Expected {
    ppid: [u8; 16],
    advisories: &'static str,
    sgx_type: u8,
    pce_svn: u16,
    evaluation_number: u32,
    /// `tcbDate` of the TCB level, in seconds since 1970.
    tcb_date: i64,
    /// `nextUpdate` of the piece of collateral that expires first.
    earliest_expiration: i64,
}

const SGX: Expected = Expected {
    ppid: 0xd04e_c06d_4e6d_92dc_90d0_ad3c_f5ee_2ddf_u128.to_be_bytes(),
    advisories: "INTEL-SA-00289,INTEL-SA-00615",
    sgx_type: 0,
    pce_svn: 13,
    evaluation_number: 17,
    tcb_date: 1_710_288_000,
    earliest_expiration: 1_752_919_278,
};

const TDX: Expected = Expected {
    ppid: 0x811d_ca2a_26b9_52e8_5bb6_448b_097b_a4fd_u128.to_be_bytes(),
    advisories: "",
    sgx_type: 1,
    pce_svn: 11,
    evaluation_number: 17,
    tcb_date: 1_710_288_000,
    earliest_expiration: 1_752_919_235,
};

fn main() {
    let directory = std::env::args().nth(1).expect("usage: intel-verifier SAMPLES_DIRECTORY");
    let sgx = Sample::read(&directory, "sgx_quote", 0);
    let tdx = Sample::read(&directory, "tdx_quote", 0x81);
    let needs_hardening = Verdict::SGX_QL_QV_RESULT_CONFIG_AND_SW_HARDENING_NEEDED;
    check_sample("SGX", &sgx, needs_hardening, &SGX);
    check_sample("TDX", &tdx, Verdict::SGX_QL_QV_RESULT_OK, &TDX);
    check_single_kind(&sgx, &tdx, needs_hardening);
    check_settings();
}

/// The sample has this verdict and this supplemental data, and is refused after a change.
fn check_sample(kind: &str, sample: &Sample, verdict: Verdict, expected: &Expected) {
    assert_eq!(sample.verify(VALID), Ok((0, verdict)));
    println!("{kind}: verified, result {:#06x}", verdict.0);

    assert_eq!(sample.verify(EXPIRED), Ok((1, verdict)));
    println!("{kind}: expired collateral is reported");

    // In the first byte of the user data of the QE vendor, which the signatures cover.
    let mut changed = sample.clone();
    changed.quote[28] ^= 1;
    assert_eq!(changed.verify(VALID), Err(Error::SGX_QL_RESULT_INVALID_SIGNATURE));
    println!("{kind}: a quote with one changed bit is refused");

    let mut report = intel::sgx_ql_qe_report_info_t::default();
    let (quote, collateral) = (&sample.quote, Some(&sample.collateral));
    let with_enclave =
        intel::sgx_qv_verify_quote(quote, collateral, VALID, Some(&mut report), 0, None);
    assert_eq!(with_enclave, Err(Error::SGX_QL_ERROR_UNEXPECTED));
    println!("{kind}: verification by the QvE is refused");

    let size = size_of::<intel::sgx_ql_qv_supplemental_t>() as u32;
    let version_and_size = intel::tee_get_supplemental_data_version_and_size(&sample.quote);
    // The minor version is in the upper 16 bits.
    assert_eq!(version_and_size, Ok((0x0005_0003, size)));
    let data = sample.supplemental_data(VALID);
    // SAFETY: the union holds a number in each of its forms.
    let version = unsafe { data.__bindgen_anon_1.__bindgen_anon_1 };
    assert_eq!((version.major_version, version.minor_version), (3, 5));
    println!("{kind}: supplemental data has version 3.5 and {size} bytes");

    assert_eq!(data.pck_ppid, expected.ppid);
    assert_eq!(sample::text(&data.sa_list), expected.advisories);
    assert_eq!(data.sgx_type, expected.sgx_type);
    assert_eq!(data.tcb_pce_isvsvn, expected.pce_svn);
    assert_eq!(data.tcb_eval_ref_num, expected.evaluation_number);
    assert_eq!(data.tcb_level_date_tag, expected.tcb_date);
    assert_eq!(data.earliest_expiration_date, expected.earliest_expiration);
    println!("{kind}: its PPID, advisories, SVN and dates are those of the collateral");
}

/// The functions for one kind of TEE.
fn check_single_kind(sgx: &Sample, tdx: &Sample, sgx_verdict: Verdict) {
    let size = size_of::<intel::sgx_ql_qv_supplemental_t>() as u32;
    assert_eq!(intel::sgx_qv_get_quote_supplemental_data_size(), Ok(size));
    assert_eq!(intel::tdx_qv_get_quote_supplemental_data_size(), Ok(size));
    let (quote, collateral) = (&sgx.quote, Some(&sgx.collateral));
    let result = intel::sgx_qv_verify_quote(quote, collateral, VALID, None, 0, None);
    assert_eq!(result, Ok((0, sgx_verdict)));
    let (quote, collateral) = (&tdx.quote, Some(&tdx.collateral));
    let result = intel::tdx_qv_verify_quote(quote, collateral, VALID, None, 0, None);
    assert_eq!(result, Ok((0, Verdict::SGX_QL_QV_RESULT_OK)));
    println!("the functions for SGX and for TDX alone agree");
}

/// The load policy, which can be set once, and the path of the quote provider.
fn check_settings() {
    let policy = intel::sgx_ql_request_policy_t::SGX_QL_EPHEMERAL;
    let set = || intel::sgx_qv_set_enclave_load_policy(policy);
    assert_eq!(set(), Error::SGX_QL_SUCCESS);
    assert_eq!(set(), Error::SGX_QL_UNSUPPORTED_LOADING_POLICY);
    println!("the load policy can be set once");

    let provider = intel::sgx_qv_path_type_t::SGX_QV_QPL_PATH;
    let set = intel::sgx_qv_set_path(provider, "/does/not/exist");
    assert_eq!(set, Error::SGX_QL_ERROR_INVALID_PARAMETER);
    println!("a quote provider that does not exist is refused");
}
