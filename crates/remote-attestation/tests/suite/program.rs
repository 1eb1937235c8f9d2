//! Two programs attest each other.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use remote_attestation::mr_enclave;
use verify::{EnclavePolicy, Policy, verify};

use crate::machine::{Ended, Machine, free_address, run_both};

#[track_caller]
fn trusted_each_other([alice, bob]: &[Ended; 2]) {
    for (own, other, name) in [(alice, "bob", "alice"), (bob, "alice", "bob")] {
        assert_eq!(own.code, Some(0), "{own:?}");
        let trusted = own.line(&format!("{other}'s quote is trusted: MRENCLAVE "));
        assert!(trusted.starts_with(&mr_enclave(other).to_string()), "{own:?}");
        let said = format!("encrypted bytes say \"{other} to {name}: ");
        assert!(own.stdout.contains(&said), "{own:?}");
        assert!(own.stderr.contains("INSECURE: trusting"), "{own:?}");
    }
}

#[test]
fn quotes_of_a_service_are_trusted_with_collateral_of_a_server() {
    let machine = Machine::new();
    let (pccs, address) = (machine.serve(), free_address());
    let ended = run_both(
        &mut machine.command(&format!("--name alice --listen {address} --pccs {pccs}")),
        &mut machine.command(&format!("--name bob --connect {address} --pccs {pccs}")),
    );
    trusted_each_other(&ended);
    let [alice, _] = ended;
    let socket = machine.path("aesmd/aesm.socket").display().to_string();
    assert_eq!(alice.line("alice: quotes come from the quote service at "), socket);
    assert_eq!(alice.line("quotes: "), "1, failed: 0");
}

#[test]
fn quotes_of_the_own_process_are_trusted_with_collateral_of_a_file() {
    let (machine, address) = (Machine::new(), free_address());
    let with = |role| format!("{role} {address} --collateral collateral.json");
    let ended = run_both(
        &mut machine.command_in_process(&with("--name alice --listen")),
        &mut machine.command_in_process(&with("--name bob --connect")),
    );
    trusted_each_other(&ended);
    assert_eq!(ended[0].line("alice: quotes come from "), "this process");
}

#[test]
fn the_printed_quote_can_be_verified_elsewhere() {
    let (machine, address) = (Machine::new(), free_address());
    let with = |role| format!("{role} {address} --collateral collateral.json");
    let [alice, _] = run_both(
        &mut machine.command_in_process(&with("--name alice --listen")),
        &mut machine.command_in_process(&with("--name bob --connect")),
    );
    let quote = STANDARD.decode(alice.line("quote: ")).unwrap();
    let (verifier, now) = (machine.verifier(), std::time::SystemTime::now());
    let enclave =
        EnclavePolicy { mr_enclaves: vec![mr_enclave("alice")], ..EnclavePolicy::default() };
    let policy = Policy { enclave, ..Policy::default() };
    let verdict = verify(&quote, &verifier.collateral, &verifier.roots, now, &policy);
    assert!(verdict.trusted().is_some(), "{verdict}");
}

#[test]
fn whoever_has_another_name_is_not_trusted() {
    let (machine, address) = (Machine::new(), free_address());
    let with = |role| format!("{role} {address} --collateral collateral.json");
    let [alice, mallory] = run_both(
        &mut machine.command_in_process(&with("--name alice --listen")),
        &mut machine.command_in_process(&with("--name mallory --connect")),
    );
    assert_eq!((alice.code, mallory.code), (Some(1), Some(1)));
    assert!(alice.stderr.contains("bob's quote is not trusted: MRENCLAVE is"), "{alice:?}");
    assert!(!alice.stdout.contains("encrypted bytes"), "{alice:?}");
}

#[test]
fn nobody_is_trusted_under_another_root() {
    let (machine, address) = (Machine::new(), free_address());
    let with = |role| format!("{role} {address} --collateral collateral.json");
    let [alice, bob] = run_both(
        machine
            .command_in_process(&with("--name alice --listen"))
            .env_remove("REMOTE_ATTESTATION_TRUSTED_ROOT"),
        &mut machine.command_in_process(&with("--name bob --connect")),
    );
    assert_eq!((alice.code, bob.code), (Some(1), Some(1)));
    assert!(alice.stderr.contains("bob's quote is not trusted"), "{alice:?}");
    assert!(!alice.stderr.contains("INSECURE: trusting"), "{alice:?}");
}

#[test]
#[expect(clippy::print_stderr, reason = "says that nothing was tested")]
fn a_root_is_trusted_only_if_it_is_asked_for() {
    let (machine, address) = (Machine::new(), free_address());
    let etc = machine.path("etc");
    std::fs::create_dir_all(etc.join("sgx-verification")).unwrap();
    let root = etc.join("sgx-verification/trusted-root.pem");
    std::fs::copy(machine.path("root.pem"), &root).unwrap();
    let with = |role| format!("{role} {address} --collateral collateral.json");
    let mut alice = machine.command_in_process(&with("--name alice --listen"));
    alice.env_remove("REMOTE_ATTESTATION_TRUSTED_ROOT");
    let Some(mut alice) = with_etc(&alice, &etc) else {
        eprintln!("skipped: this machine allows no user namespaces");
        return;
    };
    let mut bob = machine.command_in_process(&with("--name bob --connect"));
    let [alice, bob] = run_both(&mut alice, &mut bob);
    assert_eq!((alice.code, bob.code), (Some(1), Some(1)));
    assert!(alice.stderr.contains("bob's quote is not trusted"), "{alice:?}");
    assert!(!alice.stderr.contains("INSECURE: trusting"), "{alice:?}");
}

/// The same program with this directory as its /etc, where that can be had without root.
fn with_etc(program: &Command, etc: &Path) -> Option<Command> {
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "true"]).stderr(Stdio::null());
    if !unshare.status().is_ok_and(|status| status.success()) {
        return None;
    }
    let mut command = Command::new("unshare");
    let script = "mount --bind \"$0\" /etc && exec \"$@\"";
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(etc);
    command.arg(program.get_program()).args(program.get_args());
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    for (name, value) in program.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    command.current_dir(program.get_current_dir()?);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(command)
}

/// A ClusterTrustBundle that the cluster may not have, and a ConfigMap that a namespace may not
/// have, are mounted side by side.
#[test]
fn the_first_root_that_exists_is_trusted() {
    let (machine, other) = (Machine::new(), Machine::new());
    std::fs::copy(other.path("root.pem"), machine.path("other.pem")).unwrap();
    for (roots, is_trusted) in [
        ("nowhere.pem,root.pem", true),
        ("root.pem,other.pem", true),
        ("other.pem,root.pem", false),
        ("nowhere.pem,neither.pem", false),
    ] {
        let address = free_address();
        let with = |role| format!("{role} {address} --collateral collateral.json --patience 2s");
        let mut alice = machine.command_in_process(&with("--name alice --listen"));
        alice.env("REMOTE_ATTESTATION_TRUSTED_ROOT", roots);
        let mut bob = machine.command_in_process(&with("--name bob --connect"));
        let [alice, _] = run_both(&mut alice, &mut bob);
        assert_eq!(alice.code, Some(i32::from(!is_trusted)), "{roots}: {alice:?}");
        let is_named = alice.stderr.contains("cannot read nowhere.pem");
        assert_eq!(is_named, roots == "nowhere.pem,neither.pem", "{alice:?}");
    }
}

#[test]
fn quotes_are_counted_on_both_sides() {
    let (machine, address) = (Machine::new(), free_address());
    let with = |role| format!("{role} {address} --collateral collateral.json");
    let ended = run_both(
        &mut machine.command_in_process(&with("--name alice --listen")),
        &mut machine.command_in_process(&with("--repeat 5 --name bob --connect")),
    );
    trusted_each_other(&ended);
    for ended in ended {
        assert_eq!(ended.line("quotes: "), "5, failed: 0");
        assert_eq!(ended.stdout.matches("quote: ").count(), 1, "{ended:?}");
    }
}

#[test]
fn quotes_that_fail_are_counted_and_make_the_end_a_failure() {
    let machine = Machine::new();
    let (pccs, address) = (machine.serve(), free_address());
    let (there, away) = (machine.path("aesmd"), machine.path("away"));
    let alice = machine.command(&format!("--name alice --listen {address} --pccs {pccs}")).spawn();
    let bob = machine
        .command(&format!("--name bob --connect {address} --pccs {pccs} --for 3s"))
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(1000));
    // Without the socket's directory, nobody is waited for.
    std::fs::rename(&there, &away).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    std::fs::rename(&away, &there).unwrap();
    let ended = [alice.unwrap(), bob].map(Ended::of);
    let counted = ended.each_ref().map(|ended| {
        let (quotes, failed) = ended.line("quotes: ").split_once(", failed: ").unwrap();
        (quotes.parse::<u64>().unwrap(), failed.parse::<u64>().unwrap())
    });
    let [(quotes, failed), (bobs_quotes, bobs_failed)] = counted;
    assert!(failed + bobs_failed > 0, "{ended:?}");
    assert!(quotes > failed + 1 && quotes - failed == bobs_quotes - bobs_failed, "{ended:?}");
    for (ended, (_, failed)) in ended.iter().zip(counted) {
        assert_eq!(ended.code, Some(i32::from(failed > 0)), "{ended:?}");
        assert_eq!(ended.stderr.matches("a quote failed: ").count() as u64, failed, "{ended:?}");
    }
}

#[test]
fn a_first_quote_that_fails_is_an_error_at_once() {
    let (machine, address) = (Machine::new(), free_address());
    let with = |role| format!("{role} {address} --collateral collateral.json");
    let [alice, bob] = run_both(
        &mut machine.command_in_process(&with("--name alice --listen")),
        &mut machine.command(&with("--name bob --connect")),
    );
    assert_eq!((alice.code, bob.code), (Some(1), Some(1)));
    assert!(bob.stderr.contains("cannot connect to the quote service at"), "{bob:?}");
    let reason = bob.stderr.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert_eq!(reason.matches("os error 2").count(), 1, "said twice: {reason}");
    assert_eq!(bob.line("quotes: "), "1, failed: 1");
    assert!(alice.stderr.contains("bob has sent nothing"), "{alice:?}");
}

#[test]
fn nobody_is_waited_for_longer_than_was_said() {
    let (machine, address) = (Machine::new(), free_address());
    let run = |line: &str| {
        let line = format!("{line} {address} --patience 200ms --collateral collateral.json");
        Ended::of(machine.command_in_process(&line).spawn().unwrap())
    };
    let (alice, bob) = (run("--name alice --listen"), run("--name bob --connect"));
    assert_eq!((alice.code, bob.code), (Some(1), Some(1)));
    assert!(alice.stderr.contains("nobody connected to"), "{alice:?}");
    assert!(bob.stderr.contains("cannot connect to"), "{bob:?}");
}

#[test]
fn whoever_is_late_is_waited_for() {
    let (machine, address, pccs) = (Machine::new(), free_address(), free_address());
    let with = |role| format!("{role} {address} --pccs http://{pccs}");
    let bob = machine.command_in_process(&with("--name bob --connect")).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let alice = machine.command_in_process(&with("--name alice --listen")).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    machine.serve_at(&pccs);
    trusted_each_other(&[alice, bob].map(Ended::of));
}

#[test]
fn a_container_without_ca_certificates_can_ask_over_http() {
    let machine = Machine::new();
    let (pccs, address) = (machine.serve(), free_address());
    let command = |role: &str| {
        let mut command = machine.command(&format!("{role} {address} --pccs {pccs}"));
        command.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent");
        command
    };
    trusted_each_other(&run_both(
        &mut command("--name alice --listen"),
        &mut command("--name bob --connect"),
    ));
}

#[test]
fn a_wrong_command_line_is_refused() {
    let machine = Machine::new();
    for (line, reason) in [
        ("", "--name <NAME>"),
        ("--name a --listen 127.0.0.1:1 --connect 127.0.0.1:1", "cannot be used with"),
        ("--name a --repeat 2", "--connect <ADDRESS:PORT>"),
        ("--name a --connect 127.0.0.1:1 --repeat 0", "--repeat"),
        ("--name a --connect 127.0.0.1:1 --repeat 1 --for 1s", "cannot be used with"),
        ("--name a --connect localhost", "invalid socket address"),
        ("--name a --pccs http://u --collateral f", "cannot be used with"),
    ] {
        let ended = Ended::of(machine.command(line).spawn().unwrap());
        assert_eq!(ended.code, Some(2), "{line}: {ended:?}");
        assert!(ended.stderr.contains(reason), "{line}: {ended:?}");
    }
}
