//! Answers of a PCS: only what Intel has signed is kept. The first byte says what was asked for;
//! the body of the answer goes to the last zero byte, and the issuer chain follows.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use collateral::{Document, check};
use fuzz::recorded;
use libfuzzer_sys::fuzz_target;
use verify::TrustedRoots;

static ROOTS: LazyLock<TrustedRoots> = LazyLock::new(TrustedRoots::intel);

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let Some(recorded) = recorded().into_iter().nth(usize::from(*kind)) else { return };
    let zero = rest.iter().rposition(|byte| *byte == 0).unwrap_or(0);
    let (body, chain) = rest.split_at(zero);
    let issuer_chain = String::from_utf8_lossy(chain.get(1..).unwrap_or_default()).into_owned();
    let document = Document { body: body.to_vec(), issuer_chain };
    if check(&recorded.item, &document, &ROOTS, at(recorded.valid_at)).is_ok() {
        // PEM may be broken into lines anywhere.
        let unbroken = |chain: &str| chain.split_whitespace().collect::<String>();
        let recorded = recorded.document;
        assert_eq!(unbroken(&document.issuer_chain), unbroken(&recorded.issuer_chain));
    }
});

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
