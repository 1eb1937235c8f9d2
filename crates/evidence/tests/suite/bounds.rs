//! No file, however damaged, makes the reader fail otherwise than with an error.

use std::time::{Duration, Instant};

use evidence::{Content, Evidence, MAX_DEPTH, MAX_TEXT_SIZE};

use crate::samples::{Samples, base64};
use crate::table::{Expected, cases};

#[test]
fn a_file_that_is_cut_off_has_no_other_quote() {
    for case in cases(&Samples::new()) {
        let Expected::Quote { quote, .. } = &case.expected else { continue };
        for end in (0..case.file.len()).step_by(case.file.len() / 20) {
            if let Ok(evidence) = Evidence::read(&case.file[..end])
                && matches!(evidence.content, Content::Quote { .. })
            {
                assert_eq!(evidence.bytes, *quote, "{} up to byte {end}", case.name);
            }
        }
    }
}

#[test]
fn a_file_with_damaged_bytes_is_read_or_refused() {
    let mut random = fastrand::Rng::with_seed(1);
    for case in cases(&Samples::new()) {
        for _ in 0..10 {
            let mut file = case.file.clone();
            for _ in 0..=random.usize(..3) {
                if let Some(byte) = random.choice(&mut file) {
                    *byte = random.u8(..);
                }
            }
            if let Err(error) = Evidence::read(&file) {
                assert!(!error.to_string().is_empty(), "{}", case.name);
            }
        }
    }
}

#[test]
fn wrappings_nest_up_to_a_depth() {
    let samples = Samples::new();
    let quote = samples.quote_of(b"");
    let wrapped = |depth| (0..depth).fold(quote.clone(), |inner, _| base64(&inner).into_bytes());
    assert_eq!(Evidence::read(&wrapped(MAX_DEPTH)).unwrap().bytes, quote);
    let error = Evidence::read(&wrapped(MAX_DEPTH + 1)).unwrap_err().to_string();
    assert!(error.contains("nest deeper than 8 levels"), "{error}");
}

#[test]
fn large_text_is_not_read() {
    let error = Evidence::read(&vec![b'a'; MAX_TEXT_SIZE + 1]).unwrap_err().to_string();
    assert!(error.contains("is not read"), "{error}");
}

/// A name that is repeated in the path of each of many fields, and brackets that nest.
#[test]
fn hostile_json_is_read_in_time() {
    let fields: Vec<_> = (0..50_000).map(|number| format!("\"{number}\":1")).collect();
    let wide = format!("{{\"{}\":{{{}}}}}", "n".repeat(500_000), fields.join(","));
    let deep = "[".repeat(MAX_TEXT_SIZE);
    let items = format!("[{}0]", "[],".repeat(MAX_TEXT_SIZE / 3 - 2));
    let start = Instant::now();
    for document in [wide, deep, items] {
        assert!(Evidence::read(document.as_bytes()).is_err());
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
