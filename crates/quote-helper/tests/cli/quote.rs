//! `quote`: where it comes from, and what for.

use sgx::{FromBytes, IntoBytes, MrEnclave, ReportData, TargetInfo};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::support::{Ended, Machine};

fn with_platform() -> Machine {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    machine
}

/// The QE_ID of the platform that made the quote in `q.bin`: QEs write it into the header.
fn qe_id_of_quote(machine: &Machine) -> String {
    let quote = machine.succeed("inspect q.bin --output json").json();
    quote["fields"]["header"]["user data"].as_str().unwrap()[..32].to_owned()
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
        .says(&["state holds no software platform", "SGX_AESM_ADDR", "--socket"]);
    assert!(!machine.path("state").exists(), "a quote makes no platform");
}

#[test]
fn sgx_aesm_addr_has_the_service_asked() {
    let (machine, server) = (with_platform(), Machine::new());
    let _serve = server.serve();
    let mut command =
        machine.command("quote --platform software --state-dir state --report-data 07 --out q.bin");
    Ended::of(command.env("SGX_AESM_ADDR", server.socket())).with_code(0);
    assert_eq!(qe_id_of_quote(&machine), qe_id_of_platform(&server));

    let nobody = machine.path("nobody.socket");
    Ended::of(command.env("SGX_AESM_ADDR", &nobody))
        .with_code(1)
        .says(&[nobody.to_str().unwrap(), "Is the service running"]);
}

#[test]
fn in_process_wins_over_sgx_aesm_addr() {
    let machine = with_platform();
    let mut command = machine.command(
        "quote --in-process --platform software --state-dir state --report-data 07 --out q.bin",
    );
    Ended::of(command.env("SGX_AESM_ADDR", "1")).with_code(0);
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
