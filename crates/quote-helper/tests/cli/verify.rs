//! A quote is made, looked at and verified: each verdict with its exit code.

use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::verify::QuoteVerifier;

use serde_json::Value;
use sgx::SigStruct;
use test_support::sig_struct::VendorKey;
use verify::SignedProduct;

use crate::support::{Machine, RunResult, SERVE, Serve};

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
fn verify(machine: &Machine, further: &str) -> RunResult {
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
    let verdict = ended.json();
    assert_eq!(verdict["decision"], "refused");
    assert!(verdict["attested"].is_null());
    assert_eq!(verdict["code"], "untrusted_root");
    assert_eq!(verdict["quote_root"]["kind"], "software");
    let shown = machine.succeed("platform show --state-dir state --output json").json();
    assert_eq!(verdict["quote_root"]["sha256"], shown["root_sha256"]);
    let text = machine.run("verify q.bin --collateral collateral.json").with_code(3).stdout;
    for part in
        ["INSECURE root of a software platform", "Intel SGX Root CA", "hint: ", "--trusted-root"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// No source is asked for a quote whose root is not trusted anyway.
#[test]
fn an_untrusted_root_is_refused_without_collateral() {
    let (machine, _serve) = attested();
    for source in ["--collateral missing.json", "--source http://127.0.0.1:1", ""] {
        let ended = machine.run(&format!("verify q.bin {source} --output json")).with_code(3);
        assert_eq!(ended.json()["code"], "untrusted_root");
    }
}

#[test]
fn collateral_of_another_root_decides_nothing() {
    let (machine, _serve) = attested();
    machine.succeed("platform init --state-dir other");
    machine.succeed("platform collateral --state-dir other --out collateral.json");
    let verdict = verify(&machine, "--output json").with_code(4).json();
    assert_eq!(verdict["code"], "foreign_collateral");
    let text = verify(&machine, "").with_code(4).stdout;
    assert!(text.contains("hint: pass collateral of the quote's own root"), "{text}");
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
        ("--collateral damaged.json", "cannot use damaged.json: it holds no collateral"),
        ("--collateral missing.json", "cannot read missing.json"),
        ("--source http://127.0.0.1:1", "the PCCS at http://127.0.0.1:1"),
    ] {
        let line = format!("verify q.bin --trusted-root root.pem {evidence}");
        let text = machine.run(&line).with_code(4).stdout;
        assert!(text.starts_with("COULD NOT DECIDE: ") && text.contains(reason), "{text}");
        let json = machine.run(&format!("{line} --output json")).with_code(4).json();
        assert_eq!(json["code"], "collateral_unavailable", "{json}");
        assert!(json["reason"].as_str().unwrap().contains(reason), "{json}");
    }
    let expired = verify(&machine, "--time 2048-01-01T00:00:00Z").with_code(4);
    assert!(expired.stdout.starts_with("COULD NOT DECIDE: "), "{}", expired.stdout);
    let json = verify(&machine, "--time 2048-01-01 --output json").with_code(4).json();
    assert_eq!(json["code"], "expired");
    machine.write("q.bin", "no quote");
    let json = verify(&machine, "--output json").with_code(4).json();
    assert_eq!(json["code"], "not_a_quote");
}

/// The sources of a machine with these settings and nothing else fail at once, and once.
#[test]
fn a_dead_source_is_asked_once() {
    let (machine, _serve) = attested();
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = dead.local_addr().unwrap();
    drop(dead);
    for source in [format!("http://{address}"), "http://no-such-host.invalid".to_owned()] {
        let begin = std::time::Instant::now();
        let mut command =
            machine.command("verify q.bin q.bin q.bin q.bin --trusted-root root.pem --output json");
        command.env("QUOTE_HELPER_COLLATERAL_SOURCES", &source);
        command.env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", machine.path("cache"));
        let ended = RunResult::of(&mut command).with_code(4);
        assert_eq!(ended.stdout.lines().count(), 4);
        assert!(ended.stdout.contains("cannot be reached"), "{}", ended.stdout);
        let elapsed = begin.elapsed();
        assert!(elapsed < std::time::Duration::from_millis(700), "{source}: {elapsed:?}");
    }
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
    for (line, code) in [
        ("verify missing.bin --collateral collateral.json", "file_unreadable"),
        ("verify q.bin --trusted-root q.bin", "trusted_root_unusable"),
        ("verify q.bin --policy missing.toml", "policy_unusable"),
    ] {
        let json = machine.run(&format!("{line} --output json")).with_code(1).json();
        assert_eq!(json["decision"], "error");
        assert_eq!(json["code"], code);
        assert!(json["reason"].is_string(), "{json}");
    }
}

#[test]
fn several_quotes_have_a_line_each_and_the_worst_decides() {
    let (machine, _serve) = attested();
    let mut changed = machine.read("q.bin");
    changed[48 + 320] ^= 1;
    machine.write("changed.bin", changed);
    machine.write("none.bin", "no quote");
    let verify = |files: &str, further: &str| {
        machine.run(&format!(
            "verify {files} --trusted-root root.pem --collateral collateral.json {further}"
        ))
    };
    let text = verify("q.bin changed.bin missing.bin none.bin", "").with_code(3).stdout;
    let lines: Vec<&str> = text.lines().collect();
    for (line, start) in lines.iter().zip([
        "q.bin: TRUSTED",
        "changed.bin: REFUSED: ",
        "missing.bin: ERROR: cannot read missing.bin",
        "none.bin: COULD NOT DECIDE: ",
    ]) {
        assert!(line.starts_with(start), "{line}");
    }
    assert_eq!(lines.len(), 4);
    verify("q.bin q.bin", "").with_code(0);
    verify("q.bin none.bin", "").with_code(4);
    verify("q.bin missing.bin none.bin", "").with_code(1).says(&["1 of 3 inputs"]);

    let hex = hex::encode(machine.read("q.bin"));
    let json = serde_json::json!({ "quote": hex });
    let long = "00".repeat(1_000_000);
    machine.write("lines", format!("{hex}\n\n{json}\nnonsense\n{long}\n{hex}"));
    let ended = verify("lines", "--lines --output json").with_code(1);
    let results: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<_> = results
        .iter()
        .map(|r| (r["line"].as_u64().unwrap(), r["code"].as_str().unwrap()))
        .collect();
    let expected = [
        (1, "trusted"),
        (3, "trusted"),
        (4, "not_a_quote"),
        (5, "file_unreadable"),
        (6, "trusted"),
    ];
    assert_eq!(found, expected);
    assert!(results.iter().all(|result| result["file"] == "lines" && result["version"] == 1));

    let mut command =
        machine.command("verify - --lines --trusted-root root.pem --collateral collateral.json");
    command.stdin(std::fs::File::open(machine.path("lines")).unwrap());
    let ended = RunResult::of(&mut command).with_code(1);
    assert!(ended.stdout.starts_with("-:1: TRUSTED\n-:3: TRUSTED\n"), "{}", ended.stdout);
}

#[test]
fn the_collateral_that_was_used_verifies_again_without_a_network() {
    let (machine, serve) = attested();
    let pccs = serve.pccs();
    let ended = machine.succeed(&format!(
        "verify q.bin q.bin --trusted-root root.pem --source {pccs} --save-collateral used.bundle"
    ));
    ended.says(&["4 items of collateral are in used.bundle"]);
    drop(serve);
    machine.succeed("verify q.bin --trusted-root root.pem --collateral used.bundle");
    machine.succeed("collateral import used.bundle --cache-dir cache --trusted-root root.pem");
    machine.succeed("collateral export exported.bundle --cache-dir cache --trusted-root root.pem");
    machine.succeed("verify q.bin --trusted-root root.pem --collateral exported.bundle");
    let text = String::from_utf8(machine.read("used.bundle")).unwrap();
    let kept = text.lines().next().unwrap().replace("\"records\":4", "\"records\":0");
    machine.write("used.bundle", kept + "\n");
    let ended = machine.run("verify q.bin --trusted-root root.pem --collateral used.bundle");
    assert!(ended.with_code(4).stdout.contains("the bundle has no pck-crl-"));
}

#[test]
fn a_policy_is_read_from_a_file() {
    let (machine, _serve) = attested();
    let (zeros, other) = ("0".repeat(64), "1".repeat(64));
    machine.write(
        "policy.toml",
        format!(
            "mr-enclave = [\"{other}\", \"{zeros}\"]\nisv-prod-id = 0\nminimum-tcb-date = 2000-01-01\n\
             allow-debug = false\nreport-data = \"0102\"\naccept-tcb-status = [\"OutOfDate\"]\n"
        ),
    );
    verify(&machine, "--policy policy.toml").with_code(0);
    // An option in the command line replaces the file's.
    let ended = verify(&machine, &format!("--policy policy.toml --mr-enclave {other}"));
    let text = ended.with_code(3).stdout;
    assert!(text.contains(&format!("hint: accepted with --mr-enclave {zeros}")), "{text}");
    for (policy, problem) in [
        ("mr-enclav = \"00\"", "unknown key \"mr-enclav\"; did you mean \"mr-enclave\"?"),
        ("\nxyz = 1", "line 2: unknown key \"xyz\"; keys are"),
        (
            "mr-enclave = \"0\"",
            "line 1: mr-enclave: \"0\": expected 32 bytes in hexadecimal, 64 digits",
        ),
        ("mr-enclave = \"zz\"", "\"zz\": expected 32 bytes in hexadecimal"),
        ("accept-tcb-status = \"Revoked\"", "a revoked platform is always refused"),
        ("accept-tcb-status = \"Good\"", "expected one of SWHardeningNeeded, "),
        ("allow-debug = \"yes\"", "write true or false"),
        ("minimum-isv-svn = [1, 2]", "write one value, not a list"),
        ("isv-prod-id = 70000", "line 1: isv-prod-id: \"70000\": write a number from 0 to 65535"),
        ("mr-enclave", "line 1 is not TOML"),
        ("ppid = \"00\"", "line 1: ppid: \"00\": expected 16 bytes in hexadecimal, 32 digits"),
        ("xfam = 0xg", "line 1 is not TOML"),
        ("xfam = \"AMX\"", "line 1: xfam: \"AMX\": write a number such as 0x10000000, or"),
        ("td-atributes = 0x1", "did you mean \"td-attributes\"?"),
        ("sigstruct = \"none.sig\"", "line 1: sigstruct: cannot read none.sig"),
        ("sigstruct = \"q.bin\"", "line 1: sigstruct: cannot use q.bin: a SIGSTRUCT has 1808"),
    ] {
        machine.write("policy.toml", policy);
        let ended = verify(&machine, "--policy policy.toml").with_code(1);
        ended.says(&["cannot use the policy policy.toml", problem]);
    }
}

#[test]
fn a_sigstruct_stands_for_signer_product_and_version() {
    let (machine, _serve) = attested();
    let mut sig_struct = SigStruct::default();
    sig_struct.isv_prod_id = 3.into();
    sig_struct.isv_svn = 4.into();
    let sig_struct = VendorKey::new().sign(sig_struct);
    let mr_signer = SignedProduct::of_sig_struct(&sig_struct).unwrap().mr_signer;
    let quote = |isv_svn: u16| {
        machine.succeed(&format!(
            "quote --socket aesm.socket --mr-signer {mr_signer} --isv-prod-id 3 --isv-svn {isv_svn} \
             --report-data 00 --out q.bin"
        ))
    };
    std::fs::create_dir(machine.path("policies")).unwrap();
    machine.write("policies/enclave.sig", &sig_struct);
    // Its path is relative to the policy.
    machine.write("policies/policy.toml", "sigstruct = \"enclave.sig\"\n");
    let policies = ["--sigstruct policies/enclave.sig", "--policy policies/policy.toml"];
    for (isv_svn, code) in [(4, 0), (5, 0), (3, 3)] {
        quote(isv_svn);
        for policy in policies {
            let text = verify(&machine, policy).with_code(code).stdout;
            let refusal = format!("the enclave is MRSIGNER {mr_signer} ISVPRODID 3 ISVSVN 3; ");
            assert_eq!(text.contains(&refusal), code == 3, "{text}");
            assert_eq!(text.contains("hint: omit --sigstruct"), code == 3, "{text}");
        }
    }
    let mut damaged = sig_struct;
    damaged[1_026] ^= 1;
    machine.write("policies/enclave.sig", damaged);
    for policy in policies {
        let ended = verify(&machine, policy).with_code(1);
        ended.says(&[
            "cannot use policies/enclave.sig: ",
            "signature of the SIGSTRUCT does not hold",
        ]);
    }
    let json = verify(&machine, "--sigstruct none.sig --output json").with_code(1).json();
    assert_eq!(json["code"], "policy_unusable");
}

#[test]
fn a_refusal_by_policy_names_the_option_that_accepts() {
    let (machine, _serve) = attested();
    let zeros = |bytes: usize| "00".repeat(bytes);
    let platform = verify(&machine, "--output json").json()["attested"]["platform"].clone();
    let of_platform = |member: &str| platform[member].as_str().unwrap().to_owned();
    for (option, accepting) in [
        (format!("--mr-signer {}", "11".repeat(32)), format!("--mr-signer {}", zeros(32))),
        ("--minimum-isv-svn 1".to_owned(), "--minimum-isv-svn 0".to_owned()),
        (format!("--config-id {}", "11".repeat(64)), format!("--config-id {}", zeros(64))),
        ("--minimum-config-svn 1".to_owned(), "--minimum-config-svn 0".to_owned()),
        (format!("--isv-family-id {}", "11".repeat(16)), format!("--isv-family-id {}", zeros(16))),
        (
            format!("--isv-ext-prod-id {}", "11".repeat(16)),
            format!("--isv-ext-prod-id {}", zeros(16)),
        ),
        (format!("--mr-td {}", "11".repeat(48)), "omit --mr-td".to_owned()),
        ("--xfam 0xe7".to_owned(), "omit --xfam".to_owned()),
        ("--td-attributes 0x10000000".to_owned(), "omit --td-attributes".to_owned()),
        (format!("--minimum-tee-tcb-svn {}", zeros(16)), "omit --minimum-tee-tcb-svn".to_owned()),
        (format!("--ppid {}", "11".repeat(16)), format!("--ppid {}", of_platform("ppid"))),
        (format!("--fmspc {}", "11".repeat(6)), format!("--fmspc {}", of_platform("fmspc"))),
    ] {
        let json = verify(&machine, &format!("{option} --output json")).with_code(3).json();
        let advice = json["advice"][0].as_str().unwrap();
        assert!(advice.ends_with(&accepting), "{option}: {advice}");
        assert!(json["code"].as_str().unwrap().starts_with("policy_"), "{json}");
        if accepting.starts_with("--") {
            verify(&machine, &accepting).with_code(0);
        }
    }
}

/// Programs know what to expect.
#[test]
fn the_page_lists_every_code() {
    let page = include_str!("../../../../docs/verification.md");
    for code in verify::VerdictCode::EVIDENCE {
        let decision = serde_json::to_value(code.decision()).unwrap();
        let row = format!("| `{code}` | {} | {} |", decision.as_str().unwrap(), code.meaning());
        assert!(page.contains(&row), "{row}");
    }
    for code in ["file_unreadable", "policy_unusable", "trusted_root_unusable", "not_recognized"] {
        assert!(page.contains(&format!("`{code}`")), "{code}");
    }
}

#[test]
fn values_that_cannot_be_are_errors_in_our_words() {
    let machine = Machine::new();
    for (option, problem) in [
        ("--time tomorrow", "seconds since 1970"),
        ("--minimum-tcb-date 2026-02-30", "a date, for instance 2026-01-31"),
        ("--accept-tcb-status Revoked", "a revoked platform is always refused"),
        ("--accept-tcb-status uptodate", "expected one of SWHardeningNeeded, ConfigurationNeeded"),
        ("--accept-advisory CVE-2020-1", "write it as INTEL-SA-00615"),
        ("--refuse-platform-feature turbo", "expected dynamic-platform, cached-keys or smt"),
        ("--mr-enclave 123", "expected 32 bytes in hexadecimal, 64 digits"),
        ("--report-data 123", "two for each byte"),
        ("--config-id xy", "expected 64 bytes in hexadecimal, 128 digits"),
        ("--platform-instance-id 00", "expected 16 bytes in hexadecimal, 32 digits"),
        ("--td-attributes DEBUG", "write a number such as 0x10000000, or the value and the mask"),
        ("--xfam 0x3/0x1", "the value has bits that the mask excludes"),
    ] {
        machine.run(&format!("verify q.bin {option}")).with_code(2).says(&[problem]);
    }
}

#[test]
fn inspect_shows_what_is_in_a_quote() {
    let (machine, _serve) = attested();
    let text = machine.succeed("inspect q.bin").stdout;
    assert!(text.starts_with("quote\n"), "{text}");
    assert!(text.contains("REPORTDATA    0102000"), "{text}");
    let json = machine.succeed("inspect q.bin --output json").json();
    assert_eq!(json["structure"], "quote");
    assert_eq!(json["fields"]["header"]["version"], 3);
    machine.run("inspect collateral.json").with_code(1).says(&["cannot recognize collateral.json"]);
}

/// Third-party code gets only the address, the quote and the root.
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
