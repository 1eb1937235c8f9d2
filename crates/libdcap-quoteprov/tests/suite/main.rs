//! Tests by C programs, which are in `tests/c`.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod applications;
mod cache;
mod environment;
mod outcomes;
mod platform;
mod settings;
mod tdx;

use test_support::c_programs::CPrograms;
use test_support::header::Header;
use test_support::shared_object::{Profile, is_as_promised};

/// The programs in `tests/c`, linked to the libraries of these packages.
static PROGRAMS: CPrograms = CPrograms::new(
    env!("CARGO_MANIFEST_DIR"),
    env!("CARGO_TARGET_TMPDIR"),
    &[env!("CARGO_PKG_NAME")],
    Profile::Dev,
);

#[test]
fn the_header_is_up_to_date() {
    let types = [
        ("Error", "quote3_error_t"),
        ("LoggingCallback", "sgx_ql_logging_callback_t"),
        ("LogLevel", "sgx_ql_log_level_t"),
        ("PckCertId", "sgx_ql_pck_cert_id_t"),
        ("QuoteConfig", "sgx_ql_config_t"),
        ("QveCollateral", "sgx_ql_qve_collateral_t"),
        ("TdxCollateral", "tdx_ql_qv_collateral_t"),
    ];
    let about = "\
        The functions of libdcap_quoteprov.so.1, as in Intel's library of this name: PCK\n\
        certificates and collateral. Made by cbindgen.";
    let header = Header { name: "sgx_default_quote_provider.h", about, types: &types };
    header.is_up_to_date_in(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn the_shared_object_is_as_promised() {
    let functions = [
        "sgx_ql_free_quote_config",
        "sgx_ql_free_quote_verification_collateral",
        "sgx_ql_free_qve_identity",
        "sgx_ql_free_root_ca_crl",
        "sgx_ql_get_quote_config",
        "sgx_ql_get_quote_verification_collateral",
        "sgx_ql_get_quote_verification_collateral_with_params",
        "sgx_ql_get_qve_identity",
        "sgx_ql_get_root_ca_crl",
        "sgx_ql_set_logging_callback",
        "sgx_qpl_clear_cache",
        "sgx_qpl_global_cleanup",
        "sgx_qpl_global_init",
        "tdx_ql_free_quote_verification_collateral",
        "tdx_ql_get_quote_verification_collateral",
        "tdx_ql_get_quote_verification_collateral_with_params",
        "tee_free_platform_policy",
        "tee_get_default_platform_policy",
    ];
    is_as_promised(env!("CARGO_PKG_NAME"), &functions);
}
