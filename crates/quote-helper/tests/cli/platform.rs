//! `platform`: reproducible and shared roots of trust, and their names.

use serde_json::Value;

use crate::support::Machine;

const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";

fn shown(machine: &Machine) -> Value {
    machine.succeed("platform show --state-dir state --output json").json()
}

fn root(machine: &Machine) -> Vec<u8> {
    machine.succeed("platform root --state-dir state --out root.der");
    machine.read("root.der")
}

/// A quote of this machine, in `q.bin`.
fn quote(machine: &Machine) {
    machine.succeed(
        "quote --in-process --platform software --state-dir state --report-data 07 --out q.bin",
    );
}

#[test]
fn the_same_seed_and_time_make_the_same_root() {
    let (time, later) = ("2026-01-31T12:00:00Z", "2026-01-31T12:00:01Z");
    let other = SEED.replace('7', "8");
    let made = [(SEED, time), (SEED, time), (SEED, later), (&other, time)];
    let roots = made.map(|(seed, created)| {
        let machine = Machine::new();
        machine.write("seed", format!("{seed}\n"));
        let fixture = format!("--seed-file seed --created {created}");
        machine.succeed(&format!("platform init --state-dir state {fixture}"));
        root(&machine)
    });
    assert_eq!(roots[0], roots[1]);
    assert_ne!(roots[0], roots[2]);
    assert_ne!(roots[0], roots[3]);
}

#[test]
fn an_invalid_seed_file_is_named() {
    for seed in ["", "00", "no hexadecimal", &SEED[2..], &format!("{SEED}07")] {
        let machine = Machine::new();
        machine.write("seed", seed);
        machine
            .run("platform init --state-dir state --seed-file seed")
            .with_code(1)
            .says(&["seed holds no seed of 32 bytes"]);
        assert!(!machine.path("state").exists(), "{seed:?}");
    }
}

#[test]
fn machines_of_one_deployment_share_a_trusted_root() {
    let (first, second) = (Machine::new(), Machine::new());
    first.succeed("platform init --state-dir state");
    let deployment = first.path("state/deployment.json");
    second
        .succeed(&format!("platform init --state-dir state --deployment {}", deployment.display()));
    assert_eq!(root(&first), root(&second));
    assert_ne!(shown(&first)["qe_id"], shown(&second)["qe_id"]);

    first.succeed("platform collateral --state-dir state --out collateral.json");
    let (trusted, collateral) = (first.path("root.der"), first.path("collateral.json"));
    for machine in [&first, &second] {
        quote(machine);
        let (trusted, collateral) = (trusted.display(), collateral.display());
        machine
            .succeed(&format!("verify q.bin --trusted-root {trusted} --collateral {collateral}"));
    }
}

#[test]
fn intels_names_do_not_make_the_root_trusted() {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state --subject-names intel");
    quote(&machine);
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    root(&machine);
    let verdict = machine
        .succeed("verify q.bin --trusted-root root.der --collateral collateral.json --output json")
        .json();
    let subject = verdict["attested"]["root"]["subject"].as_str().unwrap();
    assert!(subject.contains("CN=INSECURE Software SGX Root CA"), "{subject}");
    let inspected = machine.succeed("inspect q.bin").stdout;
    assert!(inspected.contains("CN=INSECURE Software SGX Root CA"), "{inspected}");
    machine.run("verify q.bin --collateral collateral.json").with_code(3);
}

#[test]
fn an_existing_platform_is_not_overwritten() {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    let before = shown(&machine);
    machine
        .run("platform init --state-dir state")
        .with_code(1)
        .says(&["state holds a software platform already"]);
    assert_eq!(shown(&machine), before);
}

#[test]
fn show_prints_the_identity_of_the_platform() {
    let machine = Machine::new();
    let made = machine.succeed("platform init --state-dir state");
    assert!(made.stdout.contains("INSECURE"), "{}", made.stdout);
    assert_eq!(machine.succeed("platform show --state-dir state").stdout, made.stdout);
    let shown = shown(&machine);
    for (field, digits) in
        [("root_sha256", 64), ("qe_id", 32), ("fmspc", 12), ("cpu_svn", 32), ("public_key_id", 64)]
    {
        assert_eq!(shown[field].as_str().unwrap().len(), digits, "{field}");
    }
}

#[test]
fn files_that_are_no_deployment_are_refused() {
    let machine = Machine::new();
    machine.write("deployment.json", "{}");
    machine
        .run("platform init --state-dir state --deployment deployment.json")
        .with_code(1)
        .says(&["deployment.json holds no deployment"]);
    machine
        .run("platform show --state-dir state")
        .with_code(1)
        .says(&["state holds no software platform yet"]);
    assert!(!machine.path("state").exists());
}
