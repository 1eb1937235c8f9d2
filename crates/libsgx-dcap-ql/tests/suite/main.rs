//! Both C libraries as C programs see them. The programs are in `tests/c`.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod applications;
mod environment;
mod headers;
mod intel;
mod machine;
mod numbers;
mod outcomes;

use test_support::c_programs::CPrograms;
use test_support::header::Header;
use test_support::shared_object::{Profile, is_as_promised};

/// The programs in `tests/c`, linked to the libraries of these packages.
static PROGRAMS: CPrograms = CPrograms::new(
    env!("CARGO_MANIFEST_DIR"),
    env!("CARGO_TARGET_TMPDIR"),
    &["libsgx-quote-ex", "libsgx-dcap-ql"],
    Profile::Dev,
);

#[test]
fn the_header_is_up_to_date() {
    let types = [
        ("Error", "quote3_error_t"),
        ("LoggingCallback", "sgx_ql_logging_callback_t"),
        ("LogLevel", "sgx_ql_log_level_t"),
        ("PathType", "sgx_ql_path_type_t"),
        ("Report", "sgx_report_t"),
        ("RequestPolicy", "sgx_ql_request_policy_t"),
        ("TargetInfo", "sgx_target_info_t"),
    ];
    let about = "\
        The functions of libsgx_dcap_ql.so.1 for quoting with SGX, as Intel's library of this name\n\
        has them. Made by cbindgen.";
    let header = Header { name: "sgx_dcap_ql_wrapper.h", about, types: &types };
    header.is_up_to_date_in(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn the_shared_object_is_as_promised() {
    let functions = [
        "sgx_qe_cleanup_by_policy",
        "sgx_qe_get_quote",
        "sgx_qe_get_quote_size",
        "sgx_qe_get_target_info",
        "sgx_qe_set_enclave_load_policy",
        "sgx_ql_set_path",
        "sgx_ql_set_trace_callback",
    ];
    is_as_promised(env!("CARGO_PKG_NAME"), &functions);
}
