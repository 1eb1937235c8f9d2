//! A quote is made, looked at and verified: each verdict with its exit code.

use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::verify::QuoteVerifier;

use crate::support::{Ended, Machine, SERVE, Serve};

/// A quote with REPORTDATA 0102…, the root and the collateral, as files.
fn attested() -> (Machine, Serve) {
    let machine = Machine::new();
    let serve = machine.serve();
    machine.quote("0102");
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    (machine, serve)
}

/// Verifies the quote with its root, the collateral file and further arguments.
fn verify(machine: &Machine, further: &str) -> Ended {
    machine.run(&format!(
        "verify q.bin --trusted-root root.pem --collateral collateral.json {further}"
    ))
}

#[test]
fn a_quote_is_trusted_under_the_exported_root() {
    let (machine, serve) = attested();
    machine.succeed("platform root --state-dir state --out root.der");
    assert!(machine.read("root.pem").starts_with(b"-----BEGIN CERTIFICATE-----"));
    assert!(machine.read("root.der").starts_with(&[0x30, 0x82]));
    for root in ["root.pem", "root.der"] {
        for evidence in
            [format!("--source {}", serve.pccs()), "--collateral collateral.json".into()]
        {
            let ended = machine.succeed(&format!("verify q.bin --trusted-root {root} {evidence}"));
            assert!(ended.stdout.starts_with("TRUSTED\n"), "{}", ended.stdout);
            assert_eq!(ended.stderr, "");
        }
    }
}

#[test]
fn a_quote_with_an_encrypted_ppid_needs_a_pccs() {
    let machine = Machine::new();
    let encrypted = format!("{SERVE} --certification-data encrypted-ppid");
    let serve = Serve::start(&mut machine.command(&encrypted));
    machine.quote("0102");
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    let pccs = serve.pccs();
    machine.succeed(&format!("verify q.bin --trusted-root root.pem --source {pccs}"));
    let ended = verify(&machine, "").with_code(4);
    assert!(ended.stdout.contains("no PCK certificate"), "{}", ended.stdout);
}

#[test]
fn the_verdict_in_json_has_its_documented_fields() {
    let (machine, _serve) = attested();
    let verdict = verify(&machine, "--output json").with_code(0).json();
    assert_eq!(verdict["decision"], "trusted");
    assert!(verdict["reason"].is_null());
    let steps = verdict["steps"].as_array().unwrap();
    assert!(steps.len() > 10, "{verdict}");
    assert!(steps.iter().all(|step| step["outcome"] == "passed"), "{verdict}");
    let attested = &verdict["attested"];
    assert_eq!(attested["tcb"]["status"], "UpToDate");
    assert_eq!(attested["enclave"]["report_data"], format!("0102{}", "0".repeat(124)));
    let shown = machine.succeed("platform show --state-dir state --output json").json();
    assert_eq!(attested["root"]["sha256"], shown["root_sha256"]);
    assert_eq!(attested["platform"]["fmspc"], shown["fmspc"]);
}

#[test]
fn without_being_told_to_trust_the_root_it_is_intels() {
    let (machine, _serve) = attested();
    let ended = machine.run("verify q.bin --collateral collateral.json --output json").with_code(3);
    assert!(ended.stderr.contains("--trusted-root"), "{}", ended.stderr);
    let verdict = ended.json();
    assert_eq!(verdict["decision"], "refused");
    assert!(verdict["attested"].is_null());
}

#[test]
fn a_flipped_bit_is_refused() {
    let (machine, _serve) = attested();
    let mut quote = machine.read("q.bin");
    let report_data = 48 + 320;
    quote[report_data] ^= 1;
    machine.write("q.bin", quote);
    let verdict = verify(&machine, "").with_code(3);
    assert!(verdict.stdout.starts_with("REFUSED: "), "{}", verdict.stdout);
}

#[test]
fn another_enclave_than_the_expected_one_is_refused() {
    let (machine, _serve) = attested();
    let (zeros, other) = ("0".repeat(64), "1".repeat(64));
    for expected in [
        format!("--mr-enclave {zeros} --mr-signer {zeros} --report-data 0102"),
        "--isv-prod-id 0 --minimum-isv-svn 0".to_owned(),
    ] {
        verify(&machine, &expected).with_code(0);
    }
    for unexpected in [
        format!("--mr-enclave {other}"),
        format!("--mr-signer {other}"),
        "--isv-prod-id 1".to_owned(),
        "--minimum-isv-svn 1".to_owned(),
        "--report-data 0103".to_owned(),
    ] {
        verify(&machine, &unexpected).with_code(3);
    }
}

#[test]
fn without_usable_evidence_there_is_no_verdict() {
    let (machine, _serve) = attested();
    machine.write("damaged.json", "{");
    for (evidence, reason) in [
        ("--collateral damaged.json", "damaged.json holds no collateral"),
        ("--collateral missing.json", "cannot read missing.json"),
        ("--source http://127.0.0.1:1", "the PCCS at http://127.0.0.1:1"),
    ] {
        let ended = machine.run(&format!("verify q.bin --trusted-root root.pem {evidence}"));
        ended.with_code(4).says(&["could not decide: ", reason]);
    }
    let expired = verify(&machine, "--time 2048-01-01T00:00:00Z").with_code(4);
    assert!(expired.stdout.starts_with("COULD NOT DECIDE: "), "{}", expired.stdout);
    machine.write("q.bin", "no quote");
    verify(&machine, "").with_code(4);
}

#[test]
fn a_file_that_cannot_be_used_is_an_error() {
    let (machine, _serve) = attested();
    machine
        .run("verify missing.bin --collateral collateral.json")
        .with_code(1)
        .says(&["error: cannot read missing.bin"]);
    machine
        .run("verify q.bin --collateral collateral.json --trusted-root q.bin")
        .with_code(1)
        .says(&["error: cannot trust q.bin"]);
}

#[test]
fn inspect_shows_what_is_in_a_quote() {
    let (machine, _serve) = attested();
    let text = machine.succeed("inspect q.bin").stdout;
    assert!(text.starts_with("quote\n"), "{text}");
    assert!(text.contains("REPORTDATA    0102000"), "{text}");
    let json = machine.succeed("inspect q.bin --output json").json();
    assert_eq!(json["structure"], "quote");
    assert_eq!(json["fields"]["header"]["version"], "3");
    machine
        .run("inspect collateral.json")
        .with_code(1)
        .says(&["cannot tell what collateral.json is"]);
}

/// The verifier that others wrote, with nothing of ours but the address, the quote and the root.
#[tokio::test]
async fn dcap_qvl_finds_its_collateral_here_and_agrees() {
    let (machine, serve) = attested();
    machine.succeed("platform root --state-dir state --out root.der");
    let quote = machine.read("q.bin");
    let client = CollateralClient::with_default_http(serve.pccs()).unwrap();
    let collateral = client.fetch(&quote).await.unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let verifier = QuoteVerifier::new(machine.read("root.der"));
    assert_eq!(verifier.verify(&quote, &collateral, now).unwrap().status, "UpToDate");
    assert!(QuoteVerifier::new_prod().verify(&quote, &collateral, now).is_err());
}
