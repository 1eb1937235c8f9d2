//! Files as people hold them, made from quotes of the software platform.

use aws_lc_rs::digest::{Algorithm, SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ciborium::Value;
use pem::{EncodeConfig, LineEnding, Pem};
use rcgen::{CertificateParams, CustomExtension, KeyPair, PublicKeyData};
use sgx::{IntoBytes, Quote, ReportData};
use software_platform::{
    Deployment, EnclaveIdentity, MachineSecret, SoftwareEnclave, SoftwarePlatform, SubjectNames,
};
use time::macros::datetime;

/// The offset of the report body in bytes.
const HEADER_SIZE: usize = 48;

/// Makes quotes and what they are wrapped in.
pub(crate) struct Samples {
    platform: SoftwarePlatform,
    key: KeyPair,
}

impl Samples {
    pub(crate) fn new() -> Self {
        let now = datetime!(2026-01-01 00:00 UTC);
        let deployment = Deployment::from_seed([1; 32], SubjectNames::Software, now).unwrap();
        let platform = SoftwarePlatform::new(deployment, MachineSecret::from_bytes([2; 32]));
        Self { platform: platform.unwrap(), key: KeyPair::generate().unwrap() }
    }

    pub(crate) fn report(&self, report_data: &[u8]) -> Vec<u8> {
        let mut data = [0; 64];
        data[..report_data.len()].copy_from_slice(report_data);
        let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
        enclave.report(&self.platform.target_info(), ReportData(data)).as_bytes().to_vec()
    }

    /// A quote with this at the start of REPORTDATA.
    pub(crate) fn quote_with(&self, report_data: &[u8]) -> Vec<u8> {
        let report = sgx::parse("REPORT", &self.report(report_data)).unwrap();
        self.platform.quote(&report, None).unwrap().0
    }

    /// A quote whose REPORTDATA is the SHA-256 of `data`, then zeros.
    pub(crate) fn quote_of(&self, data: &[u8]) -> Vec<u8> {
        self.quote_with(&sha256(data))
    }

    /// The certificates' key: `SubjectPublicKeyInfo` in DER.
    pub(crate) fn key(&self) -> Vec<u8> {
        self.key.subject_public_key_info()
    }

    pub(crate) fn key_pem(&self) -> String {
        let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
        pem::encode_config(&Pem::new("PUBLIC KEY", self.key()), config)
    }

    /// A certificate with these extensions, in DER.
    pub(crate) fn certificate(&self, extensions: &[(&[u64], Vec<u8>)]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.custom_extensions = extensions
            .iter()
            .map(|(oid, value)| CustomExtension::from_oid_content(oid, value.clone()))
            .collect();
        params.self_signed(&self.key).unwrap().der().to_vec()
    }

    /// The evidence of interoperable RA-TLS for the certificates' key, by this algorithm.
    pub(crate) fn tagged_evidence(&self, algorithm: u8) -> Vec<u8> {
        let algorithms: [(u8, &'static Algorithm); 2] = [(1, &SHA256), (8, &SHA512)];
        let (_, digest_of) = algorithms.iter().find(|(number, _)| *number == algorithm).unwrap();
        let key_digest = digest(digest_of, &self.key()).as_ref().to_vec();
        let entry = Value::Array(vec![Value::from(algorithm), Value::Bytes(key_digest)]);
        let claims = cbor(&Value::Map(vec![
            (Value::from("nonce"), Value::Bytes(vec![1, 2, 3])),
            (Value::from("pubkey-hash"), Value::Bytes(cbor(&entry))),
        ]));
        tagged(60000, &self.quote_of(&claims), &claims)
    }
}

/// CBOR of a tag, a quote and a claims buffer.
pub(crate) fn tagged(tag: u64, quote: &[u8], claims: &[u8]) -> Vec<u8> {
    let fields = [quote, claims].map(|field| Value::Bytes(field.to_vec()));
    cbor(&Value::Tag(tag, Box::new(Value::Array(fields.to_vec()))))
}

pub(crate) fn cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// A quote of version 4 or 5 for TDX: the report body is zeros, REPORTDATA begins with 7.
pub(crate) fn tdx(quote: &[u8], version: u8) -> Vec<u8> {
    let mut header = quote[..HEADER_SIZE].to_vec();
    header[0] = version;
    header[4] = 0x81;
    let (descriptor, size): (&[u8], _) =
        if version == 5 { (&[3, 0, 0x88, 2, 0, 0], 648) } else { (&[], 584) };
    let mut body = vec![0; size];
    body[520] = 7;
    [header.as_slice(), descriptor, &body, &quote[Quote::SIGNED_SIZE..]].concat()
}

/// An EPID quote: 436 bytes and a signature of zeros.
pub(crate) fn epid(version: u8) -> Vec<u8> {
    [&[version, 0, 1, 0], [5; 428].as_slice(), &680_u32.to_le_bytes(), &[0; 680]].concat()
}

/// A report of Open Enclave; type 1 is local, 2 remote.
pub(crate) fn oe_report(report_type: u32, report: &[u8]) -> Vec<u8> {
    let size = (report.len() as u64).to_le_bytes();
    [&1_u32.to_le_bytes(), &report_type.to_le_bytes(), size.as_slice(), report].concat()
}

/// Evidence of Open Enclave.
pub(crate) fn oe_evidence(version: u32, format: &str, data: &[u8]) -> Vec<u8> {
    let format = hex::decode(format).unwrap();
    let size = (data.len() as u64).to_le_bytes();
    [version.to_le_bytes().as_slice(), &format, &size, data].concat()
}

pub(crate) fn sha256(data: &[u8]) -> Vec<u8> {
    digest(&SHA256, data).as_ref().to_vec()
}

pub(crate) fn sha512(data: &[u8]) -> Vec<u8> {
    digest(&SHA512, data).as_ref().to_vec()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn pem(label: &str, bytes: &[u8]) -> String {
    pem::encode(&Pem::new(label, bytes))
}

/// The text in lines of this many characters.
pub(crate) fn lines(text: &str, width: usize, end: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
    lines.join(end)
}

/// Each byte as `format` writes it.
pub(crate) fn digits(bytes: &[u8], separator: &str, format: impl Fn(u8) -> String) -> String {
    bytes.iter().copied().map(format).collect::<Vec<_>>().join(separator)
}

/// The output of `xxd`.
pub(crate) fn xxd(bytes: &[u8]) -> String {
    let line = |(number, bytes): (usize, &[u8])| {
        let columns = bytes.chunks(2).map(hex::encode).collect::<Vec<_>>().join(" ");
        format!("{:08x}: {columns:<39}  {}\n", number * 16, ascii(bytes))
    };
    bytes.chunks(16).enumerate().map(line).collect()
}

/// The output of `hexdump -C -v`.
pub(crate) fn hexdump(bytes: &[u8]) -> String {
    let line = |(number, bytes): (usize, &[u8])| {
        let halves: Vec<_> =
            bytes.chunks(8).map(|half| digits(half, " ", |byte| format!("{byte:02x}"))).collect();
        format!("{:08x}  {:<48}  |{}|\n", number * 16, halves.join("  "), ascii(bytes))
    };
    let dump: String = bytes.chunks(16).enumerate().map(line).collect();
    format!("{dump}{:08x}\n", bytes.len())
}

fn ascii(bytes: &[u8]) -> String {
    let shown = |byte: &u8| if matches!(byte, 0x20..0x7f) { char::from(*byte) } else { '.' };
    bytes.iter().map(shown).collect()
}
