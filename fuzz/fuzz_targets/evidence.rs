//! Files that hold a quote: what is found, read by itself, is the same, and nothing else.
#![no_main]

use evidence::{Content, Evidence};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match Evidence::read(bytes) {
    Ok(evidence) => {
        if let Content::Quote { .. } = evidence.content {
            let again = Evidence::read(&evidence.bytes).expect("a quote");
            assert_eq!((again.content, &again.bytes), (evidence.content, &evidence.bytes));
            assert!(again.wrappings.is_empty() && again.bindings.is_empty());
        }
        assert_eq!(evidence.origin().is_none(), evidence.wrappings.is_empty());
    }
    Err(error) => assert!(!error.to_string().contains(char::is_control)),
});
