//! `inspect`: what it says of quotes with certification data of each type.

use sgx::{CertificationDataType, Quote};

use crate::support::Machine;

/// A machine with a quote of its software platform in `q.bin`.
fn quoted() -> (Machine, Quote) {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    machine.succeed(
        "quote --in-process --platform software --state-dir state --report-data 07 --out q.bin",
    );
    let quote = Quote::parse(&machine.read("q.bin")).unwrap();
    (machine, quote)
}

/// The output for a quote with this certification data.
fn said_of(machine: &Machine, quote: &Quote, data_type: u16, data: &[u8]) -> String {
    let mut quote = quote.clone();
    quote.signature.certification_data.data_type = CertificationDataType(data_type);
    quote.signature.certification_data.data = data.to_vec();
    machine.write("changed.bin", quote.to_bytes());
    let text = machine.succeed("inspect changed.bin").stdout;
    let (_, certification_data) = text.split_once("  certification data\n").unwrap();
    certification_data.to_owned()
}

#[test]
fn a_ppid_and_the_tcb_are_told_apart() {
    let (machine, quote) = quoted();
    let data = [&[0xaa; 16][..], &[0xbb; 16], &[13, 0], &[1, 0]].concat();
    let expected = [
        "    type    1 (PPID in the clear)",
        "    PPID    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "    CPUSVN  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
        "    PCESVN  13",
        "    PCE id  0100",
        "",
    ];
    assert_eq!(said_of(&machine, &quote, 1, &data), expected.join("\n"));
    for (data_type, size, bits) in [(2, 256, 2048), (3, 384, 3072)] {
        let data = [&vec![0xaa; size][..], &[0xbb; 16], &[13, 0], &[1, 0]].concat();
        let expected = [
            &format!("    type            {data_type} (PPID encrypted with RSA-{bits})"),
            &format!("    encrypted PPID  {}… ({size} bytes)", "aa".repeat(32)),
            "    CPUSVN          bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            "    PCESVN          13",
            "    PCE id          0100",
            "",
        ];
        assert_eq!(said_of(&machine, &quote, data_type, &data), expected.join("\n"));
        let whole = machine.succeed("inspect changed.bin --encoding hex").stdout;
        assert!(whole.contains(&"aa".repeat(size)), "{whole}");
    }
    assert_eq!(
        said_of(&machine, &quote, 7, &[1; 3_000]),
        "    type  7 (platform manifest)\n    size  3000 bytes\n"
    );
}

#[test]
fn certificates_are_decoded() {
    let (machine, quote) = quoted();
    let shown = machine.succeed("platform show --state-dir state --output json").json();
    let json = machine.succeed("inspect q.bin --output json").json();
    let data = &json["fields"]["certification_data"];
    assert_eq!(data["type"], 5);
    assert_eq!(data["type_name"], "PCK certificate chain");
    let [pck, ca, root] = data["certificates"].as_array().unwrap().as_slice() else {
        panic!("{data}")
    };
    assert_eq!(pck["issuer"], ca["subject"]);
    assert_eq!(ca["issuer"], root["subject"]);
    assert!(root["valid_until"].as_str().unwrap().ends_with('Z'), "{root}");
    let extension = &pck["sgx_extension"];
    assert_eq!(extension["fmspc"], shown["fmspc"], "{shown}");
    assert!(extension["ppid"].is_string() && extension["pce_svn"].is_u64(), "{extension}");
    assert_eq!(extension["tcb_components"].as_array().unwrap().len(), 16);
    assert!(ca["sgx_extension"].is_null() && root["pem"].is_string());

    let raw = machine.succeed("inspect q.bin --raw").stdout;
    let pem = String::from_utf8(quote.signature.certification_data.data).unwrap();
    assert_eq!(raw.trim_end(), pem.trim_end_matches(['\n', '\0']));
}

#[test]
fn a_single_certificate_is_pem_or_der() {
    let (machine, quote) = quoted();
    let chain = quote.signature.certification_data.data.clone();
    let leaf = pem::parse(&chain).unwrap();
    let of_pem = said_of(&machine, &quote, 4, pem::encode(&leaf).as_bytes());
    assert!(of_pem.contains("FMSPC"), "{of_pem}");
    assert_eq!(said_of(&machine, &quote, 4, leaf.contents()), of_pem);
    let raw = machine.succeed("inspect changed.bin --raw").stdout;
    assert_eq!(pem::parse(raw).unwrap().contents(), leaf.contents());
}

#[test]
fn a_certificate_that_cannot_be_read_hides_nothing_else() {
    let (machine, quote) = quoted();
    let chain = String::from_utf8(quote.signature.certification_data.data.clone()).unwrap();
    let broken = chain.replacen("\nM", "\n*", 1);
    let text = said_of(&machine, &quote, 5, broken.as_bytes());
    assert!(text.contains("unreadable  not a certificate in PEM"), "{text}");
    assert!(text.contains("CN=INSECURE Software SGX Root CA"), "{text}");

    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let text = said_of(&machine, &quote, 5, nonsense.as_bytes());
    assert!(text.contains("unreadable  not an X.509 certificate"), "{text}");
    let text = said_of(&machine, &quote, 5, b"\x1b[31m");
    assert!(text.contains("unreadable  no certificate in PEM"), "{text}");
    assert!(text.contains("data        1b5b33316d"), "{text}");

    let raw = machine.run("inspect q.bin --raw --output json");
    raw.with_code(2).says(&["--raw", "cannot be used with"]);
    said_of(&machine, &quote, 7, &[0; 8]);
    machine.run("inspect changed.bin --raw").with_code(1).says(&[
        "cannot use --raw with changed.bin",
        "it carries no certificates: its certification data is of type 7 (platform manifest)",
    ]);
}

#[test]
fn byte_strings_are_whole_in_the_encoding_that_is_asked_for() {
    let (machine, _) = quoted();
    let report_data = |line: &str| {
        let json = machine.succeed(line).json();
        let text = &json["fields"]["enclave"]["report_data"];
        (json["encoding"].clone(), text.as_str().unwrap().to_owned())
    };
    let hex = format!("07{}", "00".repeat(63));
    assert_eq!(report_data("inspect q.bin --output json"), ("hex".into(), hex));
    let base64 = format!("Bw{}==", "A".repeat(84));
    assert_eq!(
        report_data("inspect q.bin --output json --encoding base64"),
        ("base64".into(), base64.clone())
    );
    let text = machine.succeed("inspect q.bin --encoding base64").stdout;
    assert!(text.contains(&base64), "{text}");
}

/// The members that `verify` and `inspect` have in common have the same names, types and values.
#[test]
fn facts_have_the_names_that_the_verdict_has() {
    let (machine, _) = quoted();
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    let verdict = machine
        .succeed("verify q.bin --trusted-root root.pem --collateral collateral.json --output json")
        .json();
    let inspected = machine.succeed("inspect q.bin --output json").json();
    let (attested, fields) = (&verdict["attested"], &inspected["fields"]);
    assert_eq!(attested["enclave"], fields["enclave"]);
    assert_eq!(fields["enclave"]["config_svn"], 0);
    assert_eq!(fields["enclave"]["kss"], false);
    let extension = &fields["certification_data"]["certificates"][0]["sgx_extension"];
    for (name, value) in attested["platform"].as_object().unwrap() {
        assert_eq!(&extension[name], value, "{name}");
    }
    for name in ["version", "file", "line", "read_from"] {
        assert_eq!(verdict[name], inspected[name], "{name}");
    }
}

#[test]
fn several_inputs_are_shown_one_after_the_other() {
    let (machine, quote) = quoted();
    machine.write("none.bin", "no quote");
    let text = machine.run("inspect q.bin none.bin missing.bin q.bin").with_code(1);
    text.says(&["2 of 4 inputs could not be shown"]);
    let starts = ["q.bin: quote\n", "none.bin: ERROR: cannot recognize", "missing.bin: ERROR: "];
    assert!(starts.iter().all(|start| text.stdout.contains(start)), "{}", text.stdout);

    let lines = format!("{}\nnonsense\n", hex::encode(quote.to_bytes()));
    machine.write("lines", lines);
    let ended = machine.run("inspect lines missing.bin --lines --output json").with_code(1);
    let results: Vec<serde_json::Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<_> = results.iter().map(|result| (&result["line"], &result["code"])).collect();
    let expected = serde_json::json!([[1, null], [2, "not_recognized"], [null, "file_unreadable"]]);
    assert_eq!(serde_json::json!(found), expected);
    let single = machine.run("inspect missing.bin --output json").with_code(1).json();
    assert_eq!(single["code"], "file_unreadable");
}
