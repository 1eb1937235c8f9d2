//! Base64, in the standard alphabet or the one for URLs, with or without padding and line breaks.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Shorter text is a word rather than base64 of a structure.
const MIN_LENGTH: usize = 64;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The bytes, if the text is long enough and nothing but base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() < MIN_LENGTH { None } else { decode_any_length(text) }
}

/// The bytes, if the text is nothing but base64.
pub(crate) fn decode_any_length(text: &str) -> Option<Vec<u8>> {
    let standard = |character| match character {
        '-' => '+',
        '_' => '/',
        other => other,
    };
    let text: String = text.split_ascii_whitespace().flat_map(str::chars).map(standard).collect();
    ENGINE.decode(text).ok()
}
