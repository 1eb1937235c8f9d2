//! `quote`: where it comes from, and what for.

use std::path::Path;
use std::process::{Command, Stdio};

use sgx::{Attributes, FromBytes, IntoBytes, MrEnclave, ReportData, TargetInfo};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::support::{Machine, RunResult, is_root};

fn with_platform() -> Machine {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    machine
}

/// The QE_ID of the platform that made the quote in `q.bin`: QEs write it into the header.
fn qe_id_of_quote(machine: &Machine) -> String {
    let quote = machine.succeed("inspect q.bin --output json").json();
    quote["fields"]["header"]["user_data"].as_str().unwrap()[..32].to_owned()
}

fn qe_id_of_platform(machine: &Machine) -> String {
    let shown = machine.succeed("platform show --state-dir state --output json").json();
    shown["qe_id"].as_str().unwrap().to_owned()
}

#[test]
fn in_this_process_it_comes_from_the_platform_in_the_state_directory() {
    let machine = with_platform();
    for mode in ["--in-process", ""] {
        machine.succeed(&format!(
            "quote {mode} --platform software --state-dir state --report-data 07 --out q.bin"
        ));
        assert_eq!(qe_id_of_quote(&machine), qe_id_of_platform(&machine));
    }
}

#[test]
fn without_a_platform_the_error_names_the_other_way() {
    let machine = Machine::new();
    machine
        .run("quote --platform software --state-dir state --report-data 07 --out q.bin")
        .with_code(1)
        .says(&["state holds no software platform", "SGX_AESM_ADDR", "platform init"]);
    assert!(!machine.path("state").exists(), "a quote makes no platform");
}

#[test]
fn sgx_aesm_addr_has_the_service_asked() {
    let (machine, server) = (with_platform(), Machine::new());
    let _serve = server.serve();
    let mut command = machine.command("quote --report-data 07 --out q.bin");
    command.env("QUOTE_HELPER_PLATFORM", "software").env("QUOTE_HELPER_STATE_DIR", "state");
    RunResult::of(command.env("SGX_AESM_ADDR", server.socket())).with_code(0);
    assert_eq!(qe_id_of_quote(&machine), qe_id_of_platform(&server));

    let nobody = machine.path("nobody.socket");
    RunResult::of(command.env("SGX_AESM_ADDR", &nobody))
        .with_code(1)
        .says(&[nobody.to_str().unwrap(), "Is the service running"]);
}

#[test]
fn in_process_wins_over_sgx_aesm_addr() {
    let machine = with_platform();
    for mode in ["--in-process", "--platform software", "--state-dir state"] {
        let mut command = machine.command(&format!("quote {mode} --report-data 07 --out q.bin"));
        command.env("QUOTE_HELPER_PLATFORM", "software").env("QUOTE_HELPER_STATE_DIR", "state");
        RunResult::of(command.env("SGX_AESM_ADDR", "1")).with_code(0);
        assert_eq!(qe_id_of_quote(&machine), qe_id_of_platform(&machine));
    }
}

#[test]
fn an_address_of_another_form_is_refused_by_every_command_that_quotes() {
    let machine = Machine::new();
    for line in
        ["quote --report-data 07 --out q.bin", "report --out r.bin", "load", "check --machine"]
    {
        for address in ["./aesm.socket", "unix:/run/aesm.socket"] {
            let mut command = machine.command(line);
            RunResult::of(command.env("SGX_AESM_ADDR", address))
                .with_code(1)
                .says(&[address, "no absolute path"]);
        }
    }
}

#[test]
fn the_same_service_is_asked_by_every_command_that_quotes() {
    let machine = Machine::new();
    let _serve = machine.serve();
    let elsewhere = machine.path("nobody.socket");
    for line in [
        "quote --report-data 07 --out q.bin",
        "report --out r.bin",
        "load --clients 1 --duration 10ms",
    ] {
        let by_address = |address: &Path| {
            let mut command = machine.command(line);
            command.env("SGX_AESM_ADDR", address);
            command
        };
        RunResult::of(&mut by_address(&machine.socket())).with_code(0);
        RunResult::of(by_address(&elsewhere).env("QUOTE_HELPER_SOCKET", "aesm.socket"))
            .with_code(0);
        machine.succeed(&format!("{line} --socket aesm.socket"));
        RunResult::of(&mut by_address(&elsewhere)).with_code(1).says(&["nobody.socket"]);
    }
}

#[test]
fn a_quote_of_any_enclave_is_made_in_one_step_or_in_two() {
    let machine = Machine::new();
    let _serve = machine.serve();
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    let id = "0102030405060708090a0b0c0d0e0f10";
    let enclave = format!(
        "--report-data 07 --mr-enclave {} --mr-signer {} --isv-prod-id 3 --isv-svn 4 --debug \
         --config-svn 5 --isv-family-id {id} --isv-ext-prod-id {id} --misc-select 1",
        "ab".repeat(32),
        "cd".repeat(32)
    );
    let one_step = format!("quote --socket aesm.socket {enclave} --out q.bin");
    let target = "quote --socket aesm.socket --target-info target.bin".to_owned();
    let by_file = format!("report --target-info target.bin {enclave} --out report.bin");
    let by_service = format!("report --socket aesm.socket {enclave} --out report.bin");
    let quote = "quote --socket aesm.socket --report report.bin --out q.bin".to_owned();
    for steps in [&[one_step][..], &[target, by_file, quote.clone()], &[by_service, quote]] {
        for step in steps {
            machine.succeed(step);
        }
        let enclave = machine.quoted_enclave();
        assert_eq!(enclave.mr_enclave, MrEnclave([0xab; 32]));
        assert_eq!(enclave.attributes, Attributes::new(0x87, 3));
        assert_eq!((enclave.isv_prod_id.get(), enclave.isv_svn.get()), (3, 4));
        assert_eq!((enclave.config_svn.get(), enclave.misc_select.get()), (5, 1));
        assert_eq!(enclave.isv_family_id.to_string(), id);
        machine.succeed(&format!(
            "verify q.bin --trusted-root root.pem --collateral collateral.json --allow-debug \
             --mr-enclave {} --mr-signer {} --report-data 07",
            "ab".repeat(32),
            "cd".repeat(32)
        ));
        std::fs::remove_file(machine.path("q.bin")).unwrap();
    }
}

#[test]
fn the_report_of_an_enclave_is_quoted() {
    let machine = with_platform();
    machine.succeed(
        "quote --in-process --platform software --state-dir state --target-info target_info.bin",
    );
    let inspected = machine.succeed("inspect target_info.bin").stdout;
    assert!(inspected.starts_with("target info\n"), "{inspected}");

    let target_info = TargetInfo::read_from_bytes(&machine.read("target_info.bin")).unwrap();
    let mr_enclave = MrEnclave([0xAB; 32]);
    let identity = EnclaveIdentity { mr_enclave, ..EnclaveIdentity::default() };
    let report = SoftwareEnclave::new(identity).report(&target_info, ReportData([5; 64]));
    machine.write("report.bin", report.as_bytes());
    machine.succeed(
        "quote --in-process --platform software --state-dir state --report report.bin --out q.bin",
    );

    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    let expected = format!("--mr-enclave {mr_enclave} --report-data {}", "05".repeat(64));
    machine.succeed(&format!(
        "verify q.bin --trusted-root root.pem --collateral collateral.json {expected}"
    ));
}

#[test]
fn a_report_of_another_size_is_refused() {
    let machine = with_platform();
    for size in [0, 431, 433] {
        machine.write("report.bin", vec![0; size]);
        machine
            .run("quote --in-process --platform software --state-dir state --report report.bin --out q.bin")
            .with_code(1)
            .says(&["report.bin holds no REPORT", "432 bytes", &format!("not {size}")]);
    }
    assert!(!machine.path("q.bin").exists());
}

#[test]
fn a_report_for_another_enclave_is_refused() {
    let machine = with_platform();
    let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
    let report = enclave.report(&enclave.target_info(), ReportData::default());
    machine.write("report.bin", report.as_bytes());
    machine
        .run("quote --in-process --platform software --state-dir state --report report.bin --out q.bin")
        .with_code(1)
        .says(&["AESM_INVALID_REPORT"]);
}

/// Starts a service at the default socket, of which nobody outside knows, and runs a command.
const BESIDE_A_SERVICE: &str = "\
mount -t tmpfs none /run && mkdir /run/aesmd && [ /var/run -ef /run ] || exit 99
\"$0\" serve --platform software --socket /var/run/aesmd/aesm.socket --state-dir state 2>log &
until [ -S /var/run/aesmd/aesm.socket ]; do kill -0 $! || exit 98; sleep 0.05; done
\"$0\" \"$@\"
code=$?
kill $! && wait
exit $code";

#[test]
fn a_service_at_the_default_socket_that_was_not_asked_is_named() {
    if !is_root() {
        return;
    }
    let machine = Machine::new();
    let beside_a_service = |line: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "bash", "-c", BESIDE_A_SERVICE]);
        command.arg(env!("CARGO_BIN_EXE_quote-helper")).args(line.split_whitespace());
        command.current_dir(machine.path("")).env_remove("SGX_AESM_ADDR");
        RunResult::of(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
    };
    for line in [
        "quote --in-process --report-data 07 --out q.bin",
        "report --socket other.socket --out r.bin",
        "load --socket other.socket",
        "check --machine --socket other.socket",
    ] {
        beside_a_service(line)
            .with_code(1)
            .says(&["A quote service answers at /var/run/aesmd/aesm.socket, which was not asked"]);
    }
    beside_a_service("quote --report-data 07 --out q.bin").with_code(0);
}
