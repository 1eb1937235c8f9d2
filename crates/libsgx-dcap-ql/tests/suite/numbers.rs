//! The numbers of the C header are those of the tables.

use std::collections::BTreeMap;

use sgx::{Quote3Error, SgxStatus};

const HEADER: &str = include_str!("../../../libsgx-quote-ex/include/sgx_quote_types.h");

/// The numbers whose names begin with one of these.
fn numbers(prefixes: &[&str]) -> BTreeMap<&'static str, u32> {
    let lines =
        HEADER.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(" = 0x"));
    let ours = lines.filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    ours.map(|(name, digits)| (name, u32::from_str_radix(digits, 16).unwrap())).collect()
}

#[test]
fn statuses_have_the_names_of_the_table() {
    let numbers = numbers(&["SGX_SUCCESS", "SGX_ERROR_"]);
    assert_eq!(numbers.len(), 19);
    for (name, number) in numbers {
        assert_eq!(SgxStatus(number).to_string(), format!("{name} ({number:#x})"));
    }
}

#[test]
fn errors_have_the_names_of_the_table() {
    let numbers = numbers(&["SGX_QL_"]);
    let named = (0..=0xffff).filter(|number| Quote3Error(*number).name().is_some());
    assert_eq!(numbers.len(), named.count());
    for (name, number) in numbers {
        // The official names have ERROR here and there, and one is misspelt.
        let plain = name.replace("CERTIFCATION", "CERTIFICATION");
        let plain = plain.trim_start_matches("SGX_QL_").replace("ERROR_", "").replace("_ERROR", "");
        assert_eq!(Quote3Error(number).name(), Some(&*plain), "{name}");
    }
}
