//! Tests by C programs, which are in `tests/c`.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod platform;
mod printed;
mod programs;
mod results;
mod roots;

use test_support::c_programs::{Build, CPrograms, Program};
use test_support::header::Header;
use test_support::shared_object::{Profile, is_as_promised};
use time::OffsetDateTime;

/// The programs in `tests/c`, linked to the library.
static PROGRAMS: CPrograms = CPrograms::new(
    env!("CARGO_MANIFEST_DIR"),
    env!("CARGO_TARGET_TMPDIR"),
    &[env!("CARGO_PKG_NAME")],
    Profile::Dev,
);

fn program(name: &str) -> Program {
    PROGRAMS.compile(name, Build::Plain)
}

/// Seconds since 1970.
fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

#[test]
fn the_header_is_up_to_date() {
    let types = [
        ("AuthenticationResult", "tee_policy_auth_result_t"),
        ("Error", "quote3_error_t"),
        ("LoggingCallback", "sgx_logging_callback_t"),
        ("PathType", "sgx_qv_path_type_t"),
        ("PolicyBundle", "tee_policy_bundle_t"),
        ("QeReportInfo", "sgx_ql_qe_report_info_t"),
        ("QveCollateral", "sgx_ql_qve_collateral_t"),
        ("RequestPolicy", "sgx_ql_request_policy_t"),
        ("ResultNumber", "sgx_ql_qv_result_t"),
        ("SupplementalRequest", "tee_supp_data_descriptor_t"),
        ("TdxCollateral", "tdx_ql_qv_collateral_t"),
        ("Time", "time_t"),
        ("TraceLevel", "se_trace_t"),
    ];
    let about = "\
        The functions of libsgx_dcap_quoteverify.so.1, as in Intel's library of this name:\n\
        verification of SGX and TDX quotes. Made by cbindgen.";
    let header = Header { name: "sgx_dcap_quoteverify.h", about, types: &types };
    header.is_up_to_date_in(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn the_shared_object_is_as_promised() {
    let symbols = [
        "sgx_qae_set_enclave_load_policy",
        "sgx_qv_free_qve_identity",
        "sgx_qv_get_quote_supplemental_data_size",
        "sgx_qv_get_qve_identity",
        "sgx_qv_set_enclave_load_policy",
        "sgx_qv_set_path",
        "sgx_qv_verify_quote",
        "sgx_trace_logger_callback",
        "sgx_trace_loglevel",
        "tdx_qv_get_quote_supplemental_data_size",
        "tdx_qv_verify_quote",
        "tee_appraise_verification_token",
        "tee_authenticate_appraisal_result",
        "tee_authenticate_appraisal_result_ex",
        "tee_authenticate_policy_owner",
        "tee_free_appraisal_token",
        "tee_free_verify_quote_qvt",
        "tee_get_fmspc_from_quote",
        "tee_get_supplemental_data_version_and_size",
        "tee_qv_free_collateral",
        "tee_qv_get_collateral",
        "tee_verify_quote",
        "tee_verify_quote_qvt",
    ];
    is_as_promised(env!("CARGO_PKG_NAME"), &symbols);
}
