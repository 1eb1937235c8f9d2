//! The numbers of the C headers are those of the tables.

use std::collections::BTreeMap;

use sgx::{Quote3Error, SgxStatus};

const STATUSES: &str = include_str!("../../../libsgx-quote-ex/include/intel-names/sgx_error.h");
const ERRORS: &str =
    include_str!("../../../libsgx-quote-ex/include/intel-names/sgx_ql_lib_common.h");

/// The numbers in a header whose names begin with one of these.
fn numbers(header: &'static str, prefixes: &[&str]) -> BTreeMap<&'static str, u32> {
    let lines =
        header.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(" = 0x"));
    let ours = lines.filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    ours.map(|(name, digits)| (name, u32::from_str_radix(digits, 16).unwrap())).collect()
}

#[test]
fn statuses_have_the_names_of_the_table() {
    let mut known = 0;
    for (name, number) in numbers(STATUSES, &["SGX_SUCCESS", "SGX_ERROR_"]) {
        let status = SgxStatus(number).to_string();
        if !status.starts_with("sgx_status_t ") {
            assert_eq!(status, format!("{name} ({number:#x})"));
            known += 1;
        }
    }
    assert_eq!(known, 19);
}

#[test]
fn errors_have_the_names_of_the_table() {
    let numbers = numbers(ERRORS, &["SGX_QL_"]);
    for error in (0..=0xffff).map(Quote3Error) {
        let Some(name) = error.name() else { continue };
        assert_eq!(numbers.get(name), Some(&error.0), "{error}");
    }
}
