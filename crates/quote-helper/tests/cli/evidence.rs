//! Quotes in the forms in which people hold them: what the commands say of them, and their exit
//! codes. The forms themselves are tested in the crate `evidence`.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, CustomExtension, KeyPair, PublicKeyData};
use serde_json::json;

use crate::support::{Machine, RunResult, Serve};

/// The extension of EGo, in which a quote may be.
const EGO: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 105, 1];

/// A machine with a service, the root and the collateral.
fn machine() -> (Machine, Serve) {
    let machine = Machine::new();
    let serve = machine.serve();
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    (machine, serve)
}

fn verify(machine: &Machine, file: &str) -> RunResult {
    machine.run(&format!(
        "verify {file} --trusted-root root.pem --collateral collateral.json --output json"
    ))
}

/// The outcome of the step `binding`.
fn binding(ended: &RunResult) -> Option<String> {
    let verdict = ended.json();
    let steps = verdict["steps"].as_array().unwrap().clone();
    let step = steps.iter().find(|step| step["step"] == "binding")?;
    Some(step["outcome"].as_str().unwrap().to_owned())
}

/// A certificate with a quote in it, for this REPORTDATA.
fn certificate(machine: &Machine, key: &KeyPair, report_data: &str) -> String {
    machine.quote(report_data);
    let mut params = CertificateParams::default();
    let quote = machine.read("q.bin");
    params.custom_extensions = vec![CustomExtension::from_oid_content(EGO, quote)];
    params.self_signed(key).unwrap().pem()
}

#[test]
fn every_command_reads_a_quote_in_hexadecimal() {
    let (machine, serve) = machine();
    machine.quote("0102");
    machine.write("q.hex", format!("0x{}\n", hex::encode(machine.read("q.bin"))));
    verify(&machine, "q.hex").with_code(0).says(&["the quote was read from hexadecimal"]);
    let text = machine.succeed("inspect q.hex").stdout;
    assert!(text.starts_with("quote\nread from hexadecimal\n"), "{text}");
    let json = machine.succeed("inspect q.hex --output json").json();
    assert_eq!(json["read_from"], "hexadecimal");
    assert!(json["bound"].is_null());
    machine
        .run(&format!(
            "collateral fetch --quote q.hex --cache-dir cache --trusted-root root.pem --source {}",
            serve.pccs()
        ))
        .with_code(0)
        .says(&["the quote was read from hexadecimal"]);
}

#[test]
fn the_key_of_a_certificate_has_to_be_bound_to_its_quote() {
    let (machine, _serve) = machine();
    let key = KeyPair::generate().unwrap();
    let digest = hex::encode(digest(&SHA256, &key.subject_public_key_info()));
    machine.write("ra-tls.pem", certificate(&machine, &key, &digest));
    let ended = verify(&machine, "ra-tls.pem").with_code(0);
    assert_eq!(binding(&ended).unwrap(), "passed");
    let text = machine.succeed("inspect ra-tls.pem").stdout;
    assert!(text.contains("the certificate's key is bound to the quote: "), "{text}");

    machine.write("stolen.pem", certificate(&machine, &KeyPair::generate().unwrap(), &digest));
    let ended = verify(&machine, "stolen.pem").with_code(3);
    assert_eq!(binding(&ended).unwrap(), "failed");
    assert_eq!(ended.json()["decision"], "refused");
    let inspected = machine.succeed("inspect stolen.pem --output json").json();
    assert_eq!(inspected["bound"], false);
    verify(&machine, "q.bin").with_code(0);
}

#[test]
fn runtime_data_has_to_be_bound_to_its_quote() {
    let (machine, _serve) = machine();
    machine.quote(&hex::encode(digest(&SHA256, b"data")));
    let quote = STANDARD.encode(machine.read("q.bin"));
    for (data, code) in [("data", 0), ("other", 3)] {
        let runtime_data = json!({"data": STANDARD.encode(data), "dataType": "Binary"});
        let request = json!({"quote": quote, "runtimeData": runtime_data});
        machine.write("request.json", request.to_string());
        verify(&machine, "request.json").with_code(code);
    }
}

#[test]
fn the_quote_in_a_report_of_open_enclave_is_verified() {
    let (machine, _serve) = machine();
    machine.quote("0102");
    let quote = machine.read("q.bin");
    let size = (quote.len() as u64).to_le_bytes();
    machine.write("report", [&[1, 0, 0, 0, 2, 0, 0, 0], size.as_slice(), &quote].concat());
    verify(&machine, "report").with_code(0).says(&["read from an Open Enclave report"]);
    let verdict = verify(&machine, "report --minimum-tcb-evaluation-data-number 99999");
    assert!(verdict.with_code(3).json()["reason"].as_str().unwrap().contains("TCB evaluation"));
}

#[test]
fn files_without_a_verifiable_quote_are_undecided() {
    let (machine, _serve) = machine();
    let mut epid = vec![0; 1116];
    epid[..4].copy_from_slice(&[2, 0, 1, 0]);
    let local =
        [&[1, 0, 0, 0, 1, 0, 0, 0, 0xb0, 1, 0, 0, 0, 0, 0, 0], [7; 432].as_slice()].concat();
    let files: [(&[u8], &str); 5] = [
        (&epid, "this is an EPID quote (version 2)"),
        (&local, "this is a local report"),
        (b"", "it is empty"),
        (b"<html>", "HTML"),
        (b"{\"token\": 1}", "JSON without a quote, with the fields token"),
    ];
    for (file, reason) in files {
        machine.write("file", file);
        let verdict = verify(&machine, "file").with_code(4).json();
        assert_eq!(verdict["decision"], "undecided");
        assert_eq!(verdict["steps"][0]["outcome"], "failed");
        assert!(verdict["reason"].as_str().unwrap().contains(reason), "{verdict}");
        machine.run("collateral fetch --quote file --cache-dir cache").with_code(1).says(&[reason]);
    }
    machine.write("epid", epid);
    machine.run("inspect epid").with_code(0).says(&["this is an EPID quote (version 2)"]);
}
