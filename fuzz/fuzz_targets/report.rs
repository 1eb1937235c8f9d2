//! The structures of a fixed size: bytes -> value -> the same bytes, and no other sizes.
#![no_main]

use std::fmt::Display;

use libfuzzer_sys::fuzz_target;
use sgx::{AttestationKeyId, FromBytes, IntoBytes, QeReportInfo, Report, TargetInfo};
use zerocopy::Immutable;

fuzz_target!(|bytes: &[u8]| {
    round_trip::<AttestationKeyId>(bytes);
    round_trip::<QeReportInfo>(bytes);
    round_trip::<Report>(bytes);
    round_trip::<TargetInfo>(bytes);
});

fn round_trip<T: FromBytes + IntoBytes + Immutable + Display>(bytes: &[u8]) {
    assert_eq!(sgx::parse::<T>("structure", bytes).is_ok(), bytes.len() == size_of::<T>());
    let Some(exact) = bytes.get(..size_of::<T>()) else { return };
    let value: T = sgx::parse("structure", exact).expect("as many bytes as it has");
    assert_eq!(value.as_bytes(), exact);
    assert!(!value.to_string().is_empty());
}
