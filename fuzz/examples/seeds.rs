//! Writes the seeds of `frame`, `message`, `service`, `worker`, `hand_over`, `quote`, `evidence`,
//! `collateral`, `item` and `yaml`:
//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds`.

use std::error::Error;
use std::fs;
use std::path::Path;

use aesm::Request;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use sockets::handover::Message;
use sgx::{
    AttestationKeyId, IntoBytes, QeReportInfo, Quote, QuoteBody, QuoteHeader, Report, TdReport10,
    TdReport15, TdReport15Ex, U16, U32,
};
use zerocopy::FromZeros;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/aesm/tests/vectors");
const MANIFESTS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/quote-helper/tests/cli/inject/files");
const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds");

fn main() -> Result<()> {
    one_message_of_each_kind()?;
    recorded_clients()?;
    let platform = fuzz::platform();
    write("service/quote", &quote_request(&fuzz::report(&platform)))?;
    write("worker/quotes", &worker_requests(&fuzz::report(&platform)))?;
    hand_over()?;
    let quote = fuzz::quote(&platform);
    quotes(&quote)?;
    evidence(&quote)?;
    let collateral = serde_json::to_vec_pretty(&fuzz::collateral(&platform))?;
    write("collateral/software-platform.json", &collateral)?;
    manifests()?;
    recorded_answers()
}

/// Two requests of the service to a worker, without QE report info and with it.
fn worker_requests(report: &Report) -> Vec<u8> {
    let key_id = AttestationKeyId::ecdsa_p256();
    let plain = [report.as_bytes(), key_id.as_bytes()].concat();
    let with_info = [plain.as_slice(), QeReportInfo::default().as_bytes()].concat();
    let header = |message: &[u8]| (message.len() as u32).to_le_bytes();
    [header(&plain).as_slice(), &plain, &header(&with_info), &with_info].concat()
}

fn hand_over() -> Result<()> {
    let refused = Message::Refused("another instance takes over".to_owned());
    for (name, message) in [
        ("hello", Message::Hello([1; 32])),
        ("challenge", Message::Challenge([2; 32], [3; 32])),
        ("hand-over", Message::HandOver([4; 32])),
        ("refused", refused),
        ("serving", Message::Serving),
        ("ended", Message::Ended),
    ] {
        write(&format!("hand_over/{name}"), &message.to_frame())?;
    }
    Ok(())
}

/// A quote of each version and kind, with the keys and certificates of an SGX quote.
fn quotes(sgx: &[u8]) -> Result<()> {
    let sgx = Quote::parse(sgx)?;
    let td_10 = || QuoteBody::Td10(Box::new(TdReport10::new_zeroed()));
    let td_15 = || QuoteBody::Td15(Box::new(TdReport15::new_zeroed()));
    let td_15_ex = || QuoteBody::Td15Ex(Box::new(TdReport15Ex::new_zeroed()));
    for (name, version, tee_type, body) in [
        ("sgx-3", 3, QuoteHeader::SGX, sgx.body.clone()),
        ("sgx-4", 4, QuoteHeader::SGX, sgx.body.clone()),
        ("sgx-5", 5, QuoteHeader::SGX, sgx.body.clone()),
        ("td-10-4", 4, QuoteHeader::TDX, td_10()),
        ("td-10-5", 5, QuoteHeader::TDX, td_10()),
        ("td-15-5", 5, QuoteHeader::TDX, td_15()),
        ("td-15-ex-5", 5, QuoteHeader::TDX, td_15_ex()),
    ] {
        let mut quote = Quote { body, ..sgx.clone() };
        quote.header.version = U16::new(version);
        quote.header.tee_type = U32::new(tee_type);
        write(&format!("quote/{name}"), &quote.to_bytes())?;
    }
    Ok(())
}

/// A quote in some of the forms in which people hold it.
fn evidence(quote: &[u8]) -> Result<()> {
    let size = (quote.len() as u64).to_le_bytes();
    let report = [&[1, 0, 0, 0, 2, 0, 0, 0], size.as_slice(), quote].concat();
    write("evidence/open-enclave", &report)?;
    let [.., high, low] = (quote.len() as u32).to_be_bytes();
    let tagged = [&[0xd9, 0xea, 0x60, 0x82, 0x59, high, low], quote, &[0x41, 0xa0]].concat();
    let mut params = CertificateParams::default();
    let oid = [2, 23, 133, 5, 4, 9];
    params.custom_extensions = vec![CustomExtension::from_oid_content(&oid, tagged)];
    let certificate = params.self_signed(&KeyPair::generate()?)?;
    write("evidence/ra-tls.pem", certificate.pem().as_bytes())?;
    write("evidence/ra-tls.der", certificate.der())?;
    let quote = hex::encode(quote);
    let request =
        format!(r#"{{"quote":"0x{quote}","runtimeData":{{"data":"e30","dataType":"JSON"}}}}"#);
    write("evidence/request.json", request.as_bytes())
}

/// Manifests in all styles.
fn manifests() -> Result<()> {
    for name in
        ["alias", "block-scalar-at-the-end", "documents", "flow", "json", "merge-key", "windows"]
    {
        write(&format!("yaml/{name}"), &fs::read(format!("{MANIFESTS}/{name}.yaml"))?)?;
    }
    Ok(())
}

fn recorded_answers() -> Result<()> {
    for (kind, recorded) in (0..).zip(fuzz::recorded()) {
        let (body, chain) = (recorded.document.body, recorded.document.issuer_chain.into_bytes());
        let seed = [vec![kind], body, vec![0], chain].concat();
        write(&format!("item/{}", recorded.item), &seed)?;
    }
    Ok(())
}

fn one_message_of_each_kind() -> Result<()> {
    for line in fs::read_to_string(format!("{VECTORS}/messages.txt"))?.lines() {
        let [direction, name, message] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err("a line has three words".into());
        };
        write(&format!("message/{direction}-{name}"), &hex::decode(message)?)?;
    }
    Ok(())
}

/// All that a client has sent, on one connection.
fn recorded_clients() -> Result<()> {
    for file in fs::read_dir(VECTORS)? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(client) = name.strip_suffix(".requests.hex") else { continue };
        let stream = framed(&fs::read_to_string(&path)?)?;
        write(&format!("frame/{client}"), &stream)?;
        write(&format!("service/{client}"), &stream)?;
    }
    Ok(())
}

/// A request that gets a quote.
fn quote_request(report: &Report) -> Vec<u8> {
    let key_id = AttestationKeyId::ecdsa_p256();
    let request = Request::GetQuoteEx {
        report: report.as_bytes(),
        att_key_id: Some(key_id.as_bytes()),
        qe_report_info: None,
        buf_size: 8 * 1024,
    };
    request.to_frame(None)
}

fn framed(lines: &str) -> Result<Vec<u8>> {
    let mut stream = Vec::new();
    for line in lines.lines() {
        let message = hex::decode(line)?;
        stream.extend(u32::try_from(message.len())?.to_le_bytes());
        stream.extend(message);
    }
    Ok(stream)
}

fn write(seed: &str, bytes: &[u8]) -> Result<()> {
    let path = Path::new(SEEDS).join(seed);
    fs::create_dir_all(path.parent().ok_or("a seed is in a directory")?)?;
    Ok(fs::write(path, bytes)?)
}
