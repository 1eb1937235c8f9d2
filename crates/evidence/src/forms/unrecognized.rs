//! Names of the kinds of files without a quote, for messages.

/// The number of characters of a text to show.
const SHOWN: usize = 40;

/// The first bytes of kinds of files that are passed by mistake.
const MAGIC: [(&[u8], &str); 7] = [
    (b"\x1f\x8b", "a gzip archive; unpack it"),
    (b"PK\x03\x04", "a zip archive; unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it"),
    (b"\x7fELF", "an ELF executable"),
    (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
    (b"\x30", "DER (ASN.1), and no certificate with attestation evidence"),
];

/// Names a kind of binary data.
pub(crate) fn describe_binary(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "empty".to_owned();
    }
    if bytes.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return "blank: all of it is zeros or white space".to_owned();
    }
    let magic = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic));
    magic.map_or_else(|| unknown_binary(bytes), |(_, kind)| (*kind).to_owned())
}

fn unknown_binary(bytes: &[u8]) -> String {
    let start = hex::encode(bytes.get(..4).unwrap_or(bytes));
    format!(
        "unknown binary data of {} bytes, which begins with {start}, and no structure of a fixed \
         size (REPORT 432, REPORT body 384, target info 512, QE report info 960, attestation key \
         id 256)",
        bytes.len()
    )
}

/// Names a kind of text.
pub(crate) fn describe_text(text: &str) -> String {
    let lower: String = text.chars().take(SHOWN).collect::<String>().to_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return "HTML, perhaps the error page of a server".to_owned();
    }
    if lower.starts_with("<?xml") {
        return "XML".to_owned();
    }
    if is_token(text) {
        return "a JSON Web Token, which an attestation service issues instead of a quote"
            .to_owned();
    }
    let start: String = text.lines().next().unwrap_or_default().chars().take(SHOWN).collect();
    format!("text that begins with \"{start}\"")
}

/// True for header, claims and signature of a JSON Web Token: `{"` in base64 is `eyJ`.
fn is_token(text: &str) -> bool {
    let parts: Vec<_> = text.split('.').collect();
    parts.len() == 3 && parts.iter().take(2).all(|part| part.starts_with("eyJ"))
}
