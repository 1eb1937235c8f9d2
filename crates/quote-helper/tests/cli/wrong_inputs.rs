//! Mistakes in files are told in our words, with the way out.

use crate::support::{Machine, RunResult};

/// Words of libraries, which say nothing to people.
const RAW: [&str; 12] = [
    "expected value",
    "EOF while",
    "missing field",
    "unknown field",
    "invalid type",
    "Odd number",
    "Invalid character",
    "ASN.1",
    "DER byte",
    "failed to",
    "BadDer",
    "malformedframing",
];

fn machine() -> Machine {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    machine.succeed(
        "quote --in-process --platform software --state-dir state --report-data 07 --out q.bin",
    );
    machine.write("garbage", "garbage\n");
    machine.write("brace", "{");
    machine.write("object.json", "{\"a\": 1}");
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    machine.write("bad.pem", pem);
    let collateral: serde_json::Value =
        serde_json::from_slice(&machine.read("collateral.json")).unwrap();
    for (name, field, value) in [
        ("hex", "pck_crl", "zz".into()),
        ("number", "pck_crl", 3.into()),
        ("crl", "pck_crl", "00".into()),
        ("tcb", "tcb_info", "{}".into()),
        ("identity", "qe_identity", "[".into()),
    ] {
        let mut changed = collateral.clone();
        changed[field] = value;
        machine.write(&format!("{name}.json"), changed.to_string());
    }
    for (directory, file, text) in [
        ("damaged", "deployment.json", "garbage"),
        ("emptied", "machine.json", "{}"),
        ("unknown", "tcb.json", "{\"a\": 1}"),
    ] {
        machine.succeed(&format!("platform init --state-dir {directory}"));
        machine.write(&format!("{directory}/{file}"), text);
    }
    machine
}

#[test]
fn files_of_another_form_are_refused_in_our_words() {
    let machine = machine();
    let verify = "verify q.bin --trusted-root root.pem --collateral";
    for (line, words) in [
        ("verify brace", "the JSON cannot be read: it ends too early"),
        ("verify q.bin --trusted-root garbage", "give an X.509 certificate as PEM"),
        ("verify q.bin --trusted-root bad.pem", "damaged, truncated or of an unsupported form"),
        (&*format!("{verify} garbage"), "it is not JSON (line 1, column 1)"),
        (&*format!("{verify} brace"), "it ends too early, so it was cut off"),
        (&*format!("{verify} object.json"), "the field \"pck_crl_issuer_chain\" is missing"),
        (&*format!("{verify} hex.json"), "expected bytes in hexadecimal, two digits for each"),
        (&*format!("{verify} number.json"), "expected a hex encoded string, found integer"),
        (&*format!("{verify} crl.json"), "it is not a CRL of X.509 version 2, is damaged"),
        (&*format!("{verify} tcb.json"), "the field \"version\" is missing"),
        (&*format!("{verify} identity.json"), "it ends too early"),
        ("platform init --state-dir new --deployment object.json", "there is no field \"a\""),
        ("platform init --state-dir new --seed-file garbage", "two digits for each"),
        ("platform show --state-dir damaged", "it is not JSON (line 1, column 1)"),
        ("platform show --state-dir emptied", "the field \"version\" is missing"),
        ("platform tcb --state-dir unknown", "platform tcb --reset"),
        ("manifests --enable-sgxquotehelper --platform software --deployment garbage", "not JSON"),
        ("collateral import garbage --cache-dir cache", "make one with `quote-helper collateral"),
        ("inject --file brace", "it is not YAML: line 1"),
        (
            "collateral serve --listen 127.0.0.1:0 --state-dir pccs --tls-certificate bad.pem \
             --tls-key garbage",
            "no private key in PEM",
        ),
        (
            "collateral serve --listen 127.0.0.1:0 --state-dir pccs --user-token-file garbage",
            "sha512sum",
        ),
    ] {
        let ended = machine.run(line);
        assert_ne!(ended.code, Some(0), "{line}");
        is_in_our_words(line, &ended, words);
    }
}

#[test]
fn a_kubeconfig_of_another_form_is_refused_in_our_words() {
    let machine = machine();
    for (file, words) in [
        ("garbage", "not valid YAML (line 1 column 1)"),
        ("object.json", "no current context"),
        ("nothing", "cannot read"),
    ] {
        let mut command = machine.command("uninstall");
        let ended = RunResult::of(command.env("KUBECONFIG", machine.path(file))).with_code(1);
        is_in_our_words(file, &ended, words);
    }
}

#[track_caller]
fn is_in_our_words(line: &str, ended: &RunResult, words: &str) {
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains(words), "{line}: {said}");
    let raw = RAW.iter().find(|raw| said.contains(**raw));
    assert!(raw.is_none(), "{line}: {raw:?}: {said}");
}
