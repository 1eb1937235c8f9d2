//! The library's file and its header. What its functions do is tested with the other library's, in
//! `libsgx-dcap-ql`: applications use both.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use test_support::header::Header;
use test_support::shared_object::is_as_promised;

#[test]
fn the_header_is_up_to_date() {
    let types = [
        ("AttKeyId", "sgx_att_key_id_t"),
        ("AttKeyIdExt", "sgx_att_key_id_ext_t"),
        ("QeReportInfo", "sgx_qe_report_info_t"),
        ("Report", "sgx_report_t"),
        ("Status", "sgx_status_t"),
        ("TargetInfo", "sgx_target_info_t"),
    ];
    let about = "\
        The functions of libsgx_quote_ex.so.1 for quoting with SGX, as Intel's library of this name\n\
        has them. Made by cbindgen.";
    let header = Header { name: "sgx_uae_quote_ex.h", about, types: &types };
    header.is_up_to_date_in(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn the_shared_object_is_as_promised() {
    let functions = [
        "sgx_get_quote_ex",
        "sgx_get_quote_size_ex",
        "sgx_get_supported_att_key_id_num",
        "sgx_get_supported_att_key_ids",
        "sgx_init_quote_ex",
        "sgx_select_att_key_id",
    ];
    is_as_promised(env!("CARGO_PKG_NAME"), &functions);
}
