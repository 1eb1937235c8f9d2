//! Results go to standard output, notes to standard error; readers may close either.

use crate::support::{Machine, RunResult};

fn with_quote() -> Machine {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    machine.succeed(
        "quote --in-process --platform software --state-dir state --report-data 07 --out q.bin",
    );
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    machine.succeed("platform root --state-dir state --out root.pem");
    machine
}

const VERIFY: &str = "verify q.bin --trusted-root root.pem --collateral collateral.json";

#[test]
fn notes_and_errors_stay_out_of_the_results() {
    let machine = with_quote();
    for (line, code) in [
        (
            "quote --in-process --platform software --state-dir state --report-data 07 --out \
             q2.bin",
            0,
        ),
        (
            "quote --in-process --platform software --state-dir nowhere --report-data 07 --out \
             q2.bin",
            1,
        ),
        ("serve --config missing.toml", 1),
        ("platform init --state-dir state", 1),
    ] {
        let ended = machine.run(line).with_code(code);
        assert_eq!(ended.stdout, "", "{line}");
        assert!(!ended.stderr.is_empty(), "{line}");
    }
}

#[test]
fn results_come_without_notes() {
    let machine = with_quote();
    for line in ["inspect q.bin", VERIFY, "platform show --state-dir state", "--help"] {
        let ended = machine.succeed(line);
        assert_eq!(ended.stderr, "", "{line}");
        assert!(!ended.stdout.is_empty(), "{line}");
    }
}

#[test]
fn a_closed_standard_output_is_no_error() {
    let machine = with_quote();
    for line in ["inspect q.bin", VERIFY, "platform show --state-dir state", "demo", "--help"] {
        let (reader, stdout) = std::io::pipe().unwrap();
        drop(reader);
        let ended = RunResult::of(machine.command(line).stdout(stdout)).with_code(0);
        assert_eq!(ended.stderr, "", "{line}");
    }
    // Verdicts after the closing are not computed.
    let (reader, stdout) = std::io::pipe().unwrap();
    drop(reader);
    let line = VERIFY.replace("q.bin", "q.bin missing.bin");
    let ended = RunResult::of(machine.command(&line).stdout(stdout)).with_code(0);
    assert_eq!(ended.stderr, "", "{line}");
}

#[test]
fn a_closed_standard_error_is_no_error() {
    let machine = with_quote();
    for (line, code) in [("verify missing.bin", 1), ("sevre", 2)] {
        let (reader, stderr) = std::io::pipe().unwrap();
        drop(reader);
        let status = machine.command(line).stderr(stderr).status().unwrap();
        assert_eq!(status.code(), Some(code), "{line}");
    }
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let machine = with_quote();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    RunResult::of(machine.command("inspect q.bin").stdout(full))
        .with_code(1)
        .says(&["No space left"]);
}
