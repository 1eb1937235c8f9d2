//! Quotes of version 3, 4 and 5: bytes -> quote -> the same bytes; padded with zeros, the same
//! quote.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sgx::Quote;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(quote) = Quote::parse_padded(bytes) {
        let exact = quote.to_bytes();
        let (start, padding) = bytes.split_at(exact.len());
        assert_eq!(start, exact);
        assert!(exact.starts_with(&quote.signed_bytes()));
        assert!(padding.iter().all(|byte| *byte == 0));
        assert!(Quote::parse(&exact).is_ok_and(|again| again == quote));
        assert!(!quote.to_string().is_empty());
    }
});
