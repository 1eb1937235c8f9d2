//! Hexadecimal digits: with or without `0x`, with white space, commas or colons, in upper or lower
//! case, or as the array of `xxd -i`.

/// The bytes, if the text is nothing but hexadecimal digits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut digits = String::with_capacity(text.len());
    for token in array(text).split([' ', '\t', '\r', '\n', ',', ':']) {
        let (prefixed, token) = match token.strip_prefix("0x").or(token.strip_prefix("0X")) {
            Some(token) => (true, token),
            None => (false, token),
        };
        if prefixed && token.len() == 1 {
            digits.push('0');
        }
        digits.push_str(token);
    }
    if digits.is_empty() { None } else { hex::decode(digits).ok() }
}

/// The elements of a C array: between its braces. Other text as it is.
fn array(text: &str) -> &str {
    let elements = text.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    elements.map_or(text, |(elements, _)| elements)
}
