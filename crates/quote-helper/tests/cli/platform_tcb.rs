//! `platform tcb`: TCB recovery, revocation, expiry and damage, as clients and verifiers see them.

use aesm::{Client, ClientError, Payload, Request};
use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::verify::QuoteVerifier;
use quoting::{AesmQuoter, Quoter};
use serde_json::Value;
use sgx::{AesmError, AttestationKeyId, IntoBytes, Quote, ReportData};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::support::{Machine, SERVE, Serve, eventually};

/// A machine with a service, its root in `root.der`, and a quote in `q.bin`.
fn served(more: &str) -> (Machine, Serve) {
    let machine = Machine::new();
    let serve = Serve::start(&mut machine.command(&format!("{SERVE} {more}")));
    machine.succeed("platform root --state-dir state --out root.der");
    machine.quote("01");
    (machine, serve)
}

/// Changes the TCB, and returns the output.
#[track_caller]
fn tcb(machine: &Machine, change: &str) -> Value {
    machine.succeed(&format!("platform tcb {change} --state-dir state --output json")).json()
}

/// Exit code and verdict of `verify` on `q.bin`, with the service's current collateral.
fn verdict(machine: &Machine, serve: &Serve, more: &str) -> (Option<i32>, Value) {
    let pccs = serve.pccs();
    let ended = machine
        .run(&format!("verify q.bin --trusted-root root.der --source {pccs} --output json {more}"));
    (ended.code, ended.json())
}

/// Waits until `verify` exits with this code, and its verdict contains this text.
#[track_caller]
fn comes_to(machine: &Machine, serve: &Serve, code: i32, text: &str) {
    eventually(text, || {
        let (ended, verdict) = verdict(machine, serve, "");
        ended == Some(code) && verdict.to_string().contains(text)
    });
}

/// The verdict of dcap-qvl: status and advisories, or the reason for rejection.
fn dcap_qvl(machine: &Machine, serve: &Serve) -> Result<(String, Vec<String>), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let quote = machine.read("q.bin");
    let client = CollateralClient::with_default_http(serve.pccs()).unwrap();
    let collateral = runtime.block_on(client.fetch(&quote)).unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    QuoteVerifier::new(machine.read("root.der"))
        .verify(&quote, &collateral, now)
        .map(|report| (report.status, report.advisory_ids))
        .map_err(|error| format!("{error:#}"))
}

/// Asks once for a quote of a REPORT that was made for this target info.
fn ask(machine: &Machine, target_info: &sgx::TargetInfo) -> Result<Quote, AesmError> {
    let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
    let report = enclave.report(target_info, ReportData([7; 64]));
    let key_id = AttestationKeyId::ecdsa_p256();
    let once = Request::GetQuoteEx {
        report: report.as_bytes(),
        att_key_id: Some(key_id.as_bytes()),
        qe_report_info: None,
        buf_size: 8192,
    };
    match Client::new(machine.socket()).call(&once) {
        Ok(Payload::GetQuoteEx { quote: Some(quote), .. }) => {
            Ok(Quote::parse_padded(&quote).unwrap())
        }
        Err(ClientError::Refused(code)) => Err(code),
        other => panic!("{other:?}"),
    }
}

/// The whole rehearsal, with these arguments of the service.
fn rehearse(more: &str) {
    let (machine, serve) = served(more);
    let client = AesmQuoter::new(machine.socket(), std::time::Duration::from_secs(15));
    let target_info = client.initialize(&AttestationKeyId::ecdsa_p256()).unwrap().target_info;
    let old_key = ask(&machine, &target_info).unwrap().signature.attestation_public_key;
    comes_to(&machine, &serve, 0, "UpToDate");

    let state = tcb(&machine, "--raise");
    assert_eq!(state["tcb_status"], "OutOfDate");
    assert_eq!(state["tcb_evaluation_data_number"], 2);
    let (short, has) = (&state["shortfall"], state["shortfall"]["has"].as_u64().unwrap());
    assert_eq!(
        (short["component"].as_u64(), short["needs"].as_u64()),
        (Some(1), has.checked_add(1))
    );
    comes_to(&machine, &serve, 3, "OutOfDate");
    let advisories = vec!["SOFTWARE-SA-00001".to_owned()];
    assert_eq!(dcap_qvl(&machine, &serve), Ok(("OutOfDate".to_owned(), advisories)));
    let (code, accepted) = verdict(&machine, &serve, "--accept-tcb-status OutOfDate");
    assert_eq!(code, Some(0));
    assert_eq!(accepted["attested"]["tcb"]["evaluation_data_number"], 2);
    let minimum = "--accept-tcb-status OutOfDate --minimum-tcb-evaluation-data-number";
    assert_eq!(verdict(&machine, &serve, &format!("{minimum} 2")).0, Some(0));
    let (code, refused) = verdict(&machine, &serve, &format!("{minimum} 3"));
    assert_eq!(code, Some(3));
    let reason = refused["reason"].as_str().unwrap();
    assert_eq!(reason, "the TCB evaluation data number is 2; expected: at least 3");
    machine.quote("02");
    comes_to(&machine, &serve, 3, "OutOfDate");
    assert_eq!(ask(&machine, &target_info).unwrap().signature.attestation_public_key, old_key);

    assert_eq!(tcb(&machine, "--update")["tcb_status"], "UpToDate");
    eventually("error 42", || ask(&machine, &target_info) == Err(AesmError::AttKeyNotInitialized));
    comes_to(&machine, &serve, 3, "OutOfDate");
    machine.quote("03");
    comes_to(&machine, &serve, 0, "UpToDate");
    assert_eq!(dcap_qvl(&machine, &serve), Ok(("UpToDate".to_owned(), Vec::new())));
    assert_ne!(ask(&machine, &target_info).unwrap().signature.attestation_public_key, old_key);
}

#[test]
fn a_tcb_recovery_is_rehearsed() {
    rehearse("");
}

#[test]
fn a_tcb_recovery_is_rehearsed_with_workers() {
    rehearse("--isolate --workers 1");
}

#[test]
fn a_revoked_certificate_or_level_is_refused() {
    for (revoke, reason) in [("--revoke", "evoked"), ("--revoke level", "Revoked")] {
        let (machine, serve) = served("");
        comes_to(&machine, &serve, 0, "UpToDate");
        let state = tcb(&machine, revoke);
        assert_eq!(state["pck_certificate"]["revoked"], revoke == "--revoke");
        assert_eq!(state["tcb_status"] == "Revoked", revoke == "--revoke level");
        comes_to(&machine, &serve, 3, "revoked");
        let refusal = dcap_qvl(&machine, &serve).unwrap_err();
        assert!(refusal.contains(reason), "{refusal}");

        tcb(&machine, "--raise");
        tcb(&machine, "--update");
        eventually("a quote that is trusted again", || {
            machine.quote("02");
            verdict(&machine, &serve, "").0 == Some(0)
        });
    }
}

#[test]
fn verdicts_are_undecided_while_collateral_is_expired() {
    let (machine, serve) = served("");
    assert_eq!(tcb(&machine, "--expire")["collateral"]["expired"], true);
    comes_to(&machine, &serve, 4, "expired");
    let refusal = dcap_qvl(&machine, &serve).unwrap_err();
    assert!(refusal.contains("Expired"), "{refusal}");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    machine.run("verify q.bin --trusted-root root.der --collateral collateral.json").with_code(4);

    assert_eq!(tcb(&machine, "--reset")["collateral"]["expired"], false);
    comes_to(&machine, &serve, 0, "UpToDate");
}

#[test]
fn a_reset_restores_the_first_state() {
    let (machine, serve) = served("");
    let first = tcb(&machine, "");
    for change in ["--raise", "--update", "--raise", "--revoke", "--revoke level", "--expire"] {
        tcb(&machine, change);
    }
    let mut state = tcb(&machine, "--reset");
    state["collateral"] = first["collateral"].clone();
    assert_eq!(state, first);
    comes_to(&machine, &serve, 0, "UpToDate");
    assert_eq!(
        state_files(&machine),
        [".lock", "attestation-key.sealed", "deployment.json", "machine.json"]
    );
}

/// The files of the platform in the state directory.
fn state_files(machine: &Machine) -> Vec<String> {
    let names = machine.names("state");
    names.into_iter().filter(|name| name != "hand-over").collect()
}

#[test]
fn the_state_is_described() {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    let shown = || machine.succeed("platform tcb --state-dir state").stdout;
    assert!(shown().starts_with("TCB status      UpToDate\n"), "{}", shown());
    machine.succeed("platform tcb --raise --state-dir state");
    machine.succeed("platform tcb --revoke certificate --state-dir state");
    machine.succeed("platform tcb --expire --state-dir state");
    for text in [
        "TCB status      OutOfDate\n",
        "TCB component 1 (Early Microcode Update) is 72, needs 73\n",
        "advisories      SOFTWARE-SA-00001\n",
        ", REVOKED\n",
        "collateral      EXPIRED, ",
        "TCB evaluation  2\n",
    ] {
        assert!(shown().contains(text), "{text}: {}", shown());
    }
    let platform = machine.succeed("platform show --state-dir state").stdout;
    assert!(platform.contains("TCB status      OutOfDate\n"), "{platform}");
}

#[test]
fn invalid_commands_change_nothing() {
    let machine = Machine::new();
    machine
        .run("platform tcb --raise --state-dir state")
        .with_code(1)
        .says(&["state holds no software platform yet", "platform init"]);
    assert!(!machine.path("state").exists());

    machine.succeed("platform init --state-dir state");
    let before = tcb(&machine, "")["tcb_levels"].clone();
    for two in ["--raise --expire", "--update --reset", "--revoke level --raise"] {
        let ended = machine.run(&format!("platform tcb {two} --state-dir state")).with_code(2);
        ended.says(&["cannot be used with"]);
    }
    machine.run("platform tcb --revoke everything --state-dir state").with_code(2);
    assert_eq!(tcb(&machine, "")["tcb_levels"], before);
}

#[test]
fn a_damaged_file_is_named_and_reset_mends_it() {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    tcb(&machine, "--raise");
    tcb(&machine, "--update");
    for file in ["tcb.json", "microcode.json"] {
        machine.write(&format!("state/{file}"), "{");
        for command in ["platform tcb", "platform tcb --raise", "platform show"] {
            machine
                .run(&format!("{command} --state-dir state"))
                .with_code(1)
                .says(&[&format!("state/{file} cannot be used"), "platform tcb --reset"]);
        }
        machine.run(SERVE).with_code(1).says(&[file]);
        assert_eq!(machine.read(&format!("state/{file}")), b"{");
        assert_eq!(tcb(&machine, "--reset")["tcb_status"], "UpToDate");
        tcb(&machine, "--raise");
        tcb(&machine, "--update");
    }
}

#[test]
fn a_service_with_damaged_files_keeps_serving() {
    let (machine, serve) = served("");
    tcb(&machine, "--raise");
    comes_to(&machine, &serve, 3, "OutOfDate");
    machine.write("state/tcb.json", "{");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    machine.quote("02");
    comes_to(&machine, &serve, 3, "OutOfDate");
    tcb(&machine, "--reset");
    comes_to(&machine, &serve, 0, "UpToDate");
    serve.signal(rustix::process::Signal::TERM);
    let (_, log) = serve.wait();
    assert!(log.contains("state/tcb.json cannot be used"), "{log}");
}

#[test]
fn a_full_disk_changes_nothing() {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    let program = env!("CARGO_BIN_EXE_quote-helper");
    // No byte can be written to any file.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 0; exec {program} platform tcb --raise --state-dir state | cat"
    );
    let mut shell = std::process::Command::new("bash");
    shell.args(["-o", "pipefail", "-c", &limited]).current_dir(machine.path("."));
    shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let ended = crate::support::RunResult::of(&mut shell).with_code(1);
    ended.says(&["cannot write state/tcb.json", "the space on its disk"]);
    assert_eq!(
        state_files(&machine),
        [".lock", "attestation-key.sealed", "deployment.json", "machine.json"]
    );
    assert_eq!(tcb(&machine, "")["tcb_status"], "UpToDate");
}
