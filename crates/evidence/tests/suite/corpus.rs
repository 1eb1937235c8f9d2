//! Files as people hold them, each with the quote that is found in it.

use evidence::{Content, Evidence};

use crate::samples::Samples;
use crate::table::{Case, Expected, cases};

#[test]
fn every_file_is_read_as_the_table_says() {
    let cases = cases(&Samples::new());
    assert!(cases.len() >= 100, "{} files", cases.len());
    let wrong: Vec<_> = cases.iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The difference between a file's expected and actual reading, if there is one.
fn wrong(case: &Case) -> Option<String> {
    let Case { name, file, expected } = case;
    let read = Evidence::read(file);
    let is_right = match (&read, expected) {
        (Ok(evidence), Expected::Quote { quote, origin, bound }) => {
            let is_quote = matches!(evidence.content, Content::Quote { .. });
            is_quote
                && evidence.bytes == *quote
                && evidence.origin().unwrap_or_default() == *origin
                && evidence.binding().map(|binding| binding.is_ok()) == *bound
        }
        (Ok(evidence), Expected::Other(content, reason)) => {
            evidence.content == *content
                && evidence.not_verifiable().unwrap().to_string().contains(reason)
        }
        (Err(error), Expected::Error(text)) => error.to_string().contains(text),
        _ => false,
    };
    let shown = read.map(|Evidence { bytes, content, wrappings, bindings }| {
        format!("{content:?} of {} bytes, {wrappings:?}, {bindings:?}", bytes.len())
    });
    (!is_right).then(|| format!("{name}: {shown:?}; expected: {expected:?}"))
}
