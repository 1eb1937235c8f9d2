//! Root where the service's user keeps things: reads them, and is told how to change them.

use std::os::unix::fs::symlink;

use super::{give, owners, perform, printed};
use crate::support::{Machine, SERVE, Serve, is_root};

/// A user with a name, and one without.
const USERS: [(u32, &str); 2] = [
    (1, "runuser -u daemon -- quote-helper"),
    (54_321, "setpriv --reuid 54321 --regid 54321 --clear-groups quote-helper"),
];

/// A machine with a software platform that is this user's.
fn machine(uid: u32) -> Machine {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    give(&machine, "state", uid);
    machine
}

#[test]
fn root_reads_a_platform_and_leaves_no_trace() {
    if !is_root() {
        return;
    }
    let machine = machine(54_321);
    std::fs::remove_file(machine.path("state/attestation-key.sealed")).unwrap();
    let before = machine.names("state");
    let shown = machine.succeed("platform show --state-dir state --output json").json();
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    let tcb = machine.succeed("platform tcb --state-dir state --output json").json();
    assert_eq!(tcb["tcb_status"], "UpToDate");
    assert_eq!(machine.names("state"), before);
    give(&machine, "state", 0);
    let of_owner = machine.succeed("platform show --state-dir state --output json").json();
    for name in ["root_sha256", "qe_id", "public_key_id"] {
        assert_eq!(shown[name], of_owner[name], "{name}");
    }
}

#[test]
fn root_follows_no_link_of_the_owner() {
    if !is_root() {
        return;
    }
    let machine = machine(54_321);
    machine.succeed("platform init --state-dir other");
    std::fs::remove_file(machine.path("state/deployment.json")).unwrap();
    symlink(machine.path("other/deployment.json"), machine.path("state/deployment.json")).unwrap();
    machine
        .run("platform show --state-dir state")
        .with_code(1)
        .says(&["cannot read state/deployment.json", "symbolic link"]);
    // In a directory of its own a link is the user's choice.
    give(&machine, "state", 0);
    machine.run("platform root --state-dir state --out root.pem").with_code(0);
}

#[test]
fn commands_that_change_a_platform_name_their_user_and_work_as_it() {
    if !is_root() {
        return;
    }
    for (uid, command) in USERS {
        let machine = machine(uid);
        for line in
            [SERVE, "platform tcb --raise --state-dir state", "platform init --state-dir state"]
        {
            let before = machine.names("state");
            let ended = machine.run(line).with_code(1);
            assert_eq!(machine.names("state"), before, "{line}");
            assert_eq!(ended.stderr.matches("belongs to").count(), 1, "{}", ended.stderr);
            assert!(!ended.stderr.contains("chown"), "{}", ended.stderr);
            let printed = printed(&ended.stderr, command);
            if line.starts_with("platform tcb") {
                perform(&machine, &printed.replace('…', line)).with_code(0);
            }
        }
        let tcb = machine.succeed("platform tcb --state-dir state --output json").json();
        assert_eq!(tcb["tcb_status"], "OutOfDate");
        assert_eq!(owners(&machine, "state"), [uid]);
    }
}

/// Root used to leave directories and locks of its own, which kept the service's user out.
#[test]
fn a_service_of_root_leaves_nothing_in_the_directories_of_the_services_user() {
    if !is_root() {
        return;
    }
    let machine = Machine::new();
    std::fs::create_dir(machine.path("state")).unwrap();
    std::fs::create_dir_all(machine.path("caches")).unwrap();
    for name in ["state", "caches"] {
        give(&machine, name, 54_321);
    }
    let line = "serve --platform dcap --socket run/aesm.socket --state-dir state --log-format json";
    let mut command = machine.command(line);
    command.env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", machine.path("caches/collateral"));
    crate::support::RunResult::of(&mut command).with_code(1);
    for name in ["state", "caches"] {
        assert_eq!(machine.names(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_service_starts_as_its_user_after_root_was_there() {
    if !is_root() {
        return;
    }
    let machine = machine(54_321);
    machine.run(SERVE).with_code(1);
    machine.run("platform tcb --raise --state-dir state").with_code(1);
    machine.run("platform tcb --reset --state-dir state").with_code(1);
    machine.succeed("platform show --state-dir state");
    std::fs::create_dir(machine.path("run")).unwrap();
    give(&machine, "run", 54_321);
    let line = SERVE.replace("--socket aesm.socket", "--socket run/aesm.socket");
    let mut serve = std::process::Command::new("setpriv");
    serve.args(["--reuid", "54321", "--regid", "54321", "--clear-groups"]);
    serve.arg(env!("CARGO_BIN_EXE_quote-helper")).args(line.split_whitespace());
    serve.current_dir(machine.path("")).env_clear().stderr(std::process::Stdio::piped());
    let _serve = Serve::start(&mut serve);
}
