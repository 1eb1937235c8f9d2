//! Quotes as they are, their text encodings, and files that are given by mistake.

use evidence::{Content, MAX_TEXT_SIZE};

use super::{Case, ENDED, error, other, padded, quote};
use crate::samples::{Samples, base64, base64url, digits, epid, hexdump, lines, pem, tdx, xxd};

const INTEL: &[u64] = &[1, 2, 840, 113_741, 1, 13, 1];

pub(crate) fn binary(samples: &Samples) -> Vec<Case> {
    let q = samples.quote_of(b"binary");
    let [tdx4, tdx5] = [4, 5].map(|version| tdx(&q, version));
    let sgx4 = [&[4], &q[1..]].concat();
    let buffer = |size: usize| [q.as_slice(), &vec![0; size - q.len()]].concat();
    vec![
        quote("a quote", &q, &q, ""),
        quote("a quote with a zero behind it", &q, [&q[..], &[0]].concat(), &padded(q.len() + 1)),
        quote("a buffer of 8,192 bytes", &q, buffer(8192), &padded(8192)),
        quote("a buffer of 64 KiB", &q, buffer(65536), &padded(65536)),
        quote("a buffer larger than any text", &q, buffer(MAX_TEXT_SIZE + 1), &padded(1_048_577)),
        quote("an SGX quote, version 4", &sgx4, &sgx4, ""),
        quote("a TDX quote, version 4", &tdx4, &tdx4, ""),
        quote("a TDX quote, version 5", &tdx5, &tdx5, ""),
        error(
            "a quote and a line feed",
            [&q[..], b"\n"].concat(),
            "the 1 bytes behind it are not all zeros",
        ),
        error("a quote without its last byte", &q[..q.len() - 1], "signature data would end at"),
        error("the first 512 bytes of a quote", &q[..512], "signature data would end at"),
        error("the header of a quote", &q[..48], "signature data length would end at byte 436"),
        error("the first 4 bytes of a quote", &q[..4], "truncated"),
        error("a TDX quote cut off", &tdx5[..600], "truncated"),
        error("a quote of an unknown TEE", [&[4, 0, 2, 0, 9], &q[5..]].concat(), "TEE type 0x9"),
        error("version 6", [&[6], &q[1..]].concat(), "unknown binary data"),
        other("an EPID quote, version 1", epid(1), Content::EpidQuote { version: 1 }, ENDED),
        other("an EPID quote, version 2", epid(2), Content::EpidQuote { version: 2 }, ENDED),
        other("a REPORT", samples.report(&[]), Content::Structure, "432 bytes"),
        other("a REPORT body", &samples.report(&[])[..384], Content::Structure, "384 bytes"),
        other("target info", vec![1; 512], Content::Structure, "`inspect` shows it"),
        other("QE report info", vec![1; 960], Content::Structure, "`inspect` shows it"),
        other("an attestation key id", vec![1; 256], Content::Structure, "256 bytes"),
    ]
}

pub(crate) fn texts(samples: &Samples) -> Vec<Case> {
    let q = samples.quote_of(b"text");
    let hex = hex::encode(&q);
    let c_array = digits(&q, ", ", |byte| format!("{byte:#04x}"));
    let c_array =
        format!("unsigned char quote[] = {{\n  {c_array}\n}};\nunsigned int quote_len = 9;");
    let (hexa, dump, b64) = ("hexadecimal", "a hex dump", "base64");
    let padded_in_hex = hex::encode([q.as_slice(), &[0; 100]].concat());
    let padded_then_hex = format!("{}, in hexadecimal", padded(q.len() + 100));
    let deep = base64(hex.as_bytes());
    vec![
        quote("hexadecimal", &q, &hex, hexa),
        quote("hexadecimal with a line feed", &q, format!("{hex}\n"), hexa),
        quote("hexadecimal in upper case", &q, hex.to_uppercase(), hexa),
        quote("hexadecimal with 0x", &q, format!("0x{hex}"), hexa),
        quote("hexadecimal with 0X", &q, format!("0X{hex}\r\n"), hexa),
        quote("hexadecimal in lines", &q, lines(&hex, 64, "\n"), hexa),
        quote("hexadecimal in lines of DOS", &q, lines(&hex, 32, "\r\n"), hexa),
        quote("bytes with spaces", &q, digits(&q, " ", |byte| format!("{byte:02x}")), hexa),
        quote("bytes with colons", &q, digits(&q, ":", |byte| format!("{byte:02X}")), hexa),
        quote("bytes with 0x and commas", &q, digits(&q, ", ", |b| format!("{b:#x}")), hexa),
        quote("a C array", &q, c_array, hexa),
        quote("plain xxd", &q, lines(&hex, 60, "\n"), hexa),
        quote("xxd", &q, xxd(&q), dump),
        quote("hexdump", &q, hexdump(&q), dump),
        quote("hexadecimal with a byte order mark", &q, format!("\u{feff}{hex}"), hexa),
        quote("a C string", &q, format!("{hex}\0"), hexa),
        quote("padding in hexadecimal", &q, padded_in_hex, &padded_then_hex),
        quote("base64", &q, base64(&q), b64),
        quote("base64 in lines", &q, lines(&base64(&q), 76, "\n"), b64),
        quote("base64 in lines of DOS", &q, lines(&base64(&q), 64, "\r\n"), b64),
        quote("base64 without padding", &q, base64(&q).trim_end_matches('='), b64),
        quote("base64 for URLs", &q, base64url(&q), b64),
        quote(
            "base64 for URLs with padding",
            &q,
            base64(&q).replace('+', "-").replace('/', "_"),
            b64,
        ),
        quote("base64 of hexadecimal", &q, deep, "hexadecimal, in base64"),
        quote("PEM", &q, pem("SGX QUOTE", &q), "PEM (SGX QUOTE)"),
        error("half of the hexadecimal", &hex[..4000], "(read from hexadecimal)"),
        error("an odd number of digits", &hex[1..], "no quote"),
        error(
            "a hexdump with lines left out",
            hexdump(&q).lines().take(2).chain(["*"]).collect::<Vec<_>>().join("\n"),
            "it omits repeated lines; use hexdump -v",
        ),
        error("base64 of text", base64("text; ".repeat(40).as_bytes()), "text that begins with"),
        other(
            "a REPORT in hexadecimal",
            hex::encode(samples.report(&[])),
            Content::Structure,
            "432",
        ),
        other(
            "an EPID quote in base64",
            base64(&epid(2)),
            Content::EpidQuote { version: 2 },
            ENDED,
        ),
    ]
}

/// Files that are given by mistake.
pub(crate) fn others(samples: &Samples) -> Vec<Case> {
    let plain = samples.certificate(&[]);
    let pck = samples.certificate(&[(INTEL, vec![0x30, 0x00])]);
    let key = pem("PRIVATE KEY", &[1; 100]);
    let token = format!("eyJ{0}.eyJ{0}.{0}", "abcd".repeat(30));
    vec![
        error("an empty file", b"", "it is empty"),
        error("line feeds", b"\n\n", "blank"),
        error("zeros", vec![0; 8192], "blank"),
        error("a certificate", &plain, "a certificate without attestation evidence"),
        error("a certificate in PEM", pem("CERTIFICATE", &plain), "(read from PEM (CERTIFICATE))"),
        error("a PCK certificate", pck, "a certificate without attestation evidence"),
        error("a private key", key, "(read from PEM (PRIVATE KEY))"),
        error("PEM without an end", "-----BEGIN CERTIFICATE-----\nMIIB", "no section is whole"),
        error("HTML", "<!DOCTYPE html><html>", "HTML, perhaps the error page of a server"),
        error("HTML without a type", "<html><body>404", "HTML"),
        error("XML", "<?xml version=\"1.0\"?>", "XML"),
        error("a token", token, "a JSON Web Token"),
        error("a word", "hello\nworld", "text that begins with \"hello\""),
        error("text of a terminal", "\u{1b}[31m", "unknown binary data"),
        error("gzip", b"\x1f\x8b\x08\x00", "a gzip archive"),
        error("a program", b"\x7fELF\x02\x01", "an ELF executable"),
        error("UTF-16", b"\xff\xfe0\x003\x00", "UTF-16 text; save it as UTF-8"),
        error(
            "random data",
            [0xa5; 77],
            "unknown binary data of 77 bytes, which begins with a5a5a5a5",
        ),
    ]
}
