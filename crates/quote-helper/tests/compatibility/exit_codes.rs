//! Outcomes of commands by their exit code. The command line's list has the codes of all commands.

use std::collections::BTreeSet;

use test_support::release::keeps_lines;

use crate::support::Machine;

/// Command lines on a machine with a quote service, a quote and its root.
const LINES: [&str; 15] = [
    "check --machine --socket nobody.socket",
    "collateral list --cache-dir empty",
    "collateral serve --check-config --state-dir server --mode offline",
    "conformance --socket aesm.socket",
    "inspect missing.bin",
    "inspect q.bin",
    "platform init --state-dir state",
    "platform show --state-dir nothing",
    "quote --socket nobody.socket --report-data 07 --out other.bin",
    "serve --check-config --platform nonsense",
    "verify missing.bin",
    "verify q.bin --collateral collateral.json",
    "verify q.bin --collateral collateral.json --trusted-root root.pem",
    "verify q.bin --collateral collateral.json --trusted-root root.pem --isv-prod-id 7",
    "verify q.bin --trusted-root root.pem --source http://127.0.0.1:1 --timeout 1s",
];

#[test]
fn outcomes_of_commands_have_the_codes_of_earlier_releases() {
    let machine = Machine::new();
    let _serve = machine.serve();
    machine.quote("07");
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    let ended = |line: &str| format!("{line}: {}", machine.run(line).code.unwrap());
    let lines: BTreeSet<String> = LINES.iter().map(|line| ended(line)).collect();
    keeps_lines("exit-codes.txt", &lines);
}
