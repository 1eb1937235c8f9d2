//! Collateral: JSON -> collateral -> JSON that means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sgx::Collateral;

fuzz_target!(|json: &[u8]| {
    if let Ok(collateral) = serde_json::from_slice::<Collateral>(json) {
        let json = serde_json::to_vec(&collateral).expect("collateral has a JSON form");
        let again: Collateral = serde_json::from_slice(&json).expect("what we wrote");
        assert_eq!(again, collateral);
    }
});
