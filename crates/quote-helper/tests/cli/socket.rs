//! The place of the socket: what is there already, and who.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Machine, SERVE, Serve, inode};

fn identity(machine: &Machine) -> Value {
    machine.succeed("platform show --state-dir state --output json").json()
}

#[test]
fn files_that_are_no_socket_stay() {
    let machine = Machine::new();
    machine.write("file", "precious");
    std::fs::create_dir(machine.path("directory")).unwrap();
    for name in ["file", "directory"] {
        machine
            .run(&format!("serve --platform software --state-dir state --socket {name}"))
            .with_code(1)
            .says(&[name, "is not a socket", "choose another path, or remove it"]);
    }
    assert_eq!(machine.read("file"), b"precious");
    assert!(machine.path("directory").is_dir());
}

#[test]
fn a_path_that_no_socket_can_have_is_refused() {
    let machine = Machine::new();
    let name = "x".repeat(200);
    machine
        .run(&format!("serve --platform software --state-dir state --socket {name}"))
        .with_code(1)
        .says(&[&name, "is too long", "107 bytes"]);
}

#[test]
fn every_user_of_the_machine_may_connect() {
    let machine = Machine::new();
    let _serve = machine.serve();
    let mode = std::fs::metadata(machine.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666);
}

#[test]
fn a_foreign_service_is_named_and_stays_unless_its_place_is_to_be_taken() {
    let machine = Machine::new();
    let _foreign = UnixListener::bind(machine.socket()).unwrap();
    let before = inode(&machine.socket());
    let holder = format!("process {} (", std::process::id());
    machine.run(SERVE).with_code(1).says(&[
        "another service is listening at aesm.socket",
        &holder,
        "Stop it first",
        "--take-over",
    ]);
    assert_eq!(inode(&machine.socket()), before);

    let _serve = Serve::start(&mut machine.command(&format!("{SERVE} --take-over")));
    assert_ne!(inode(&machine.socket()), before);
    machine.quote("07");
}

#[test]
fn a_service_that_was_killed_is_replaced_by_the_same_platform() {
    let machine = Machine::new();
    let serve = machine.serve();
    let before = identity(&machine);
    serve.signal(Signal::KILL);
    let (status, _) = serve.wait();
    assert!(!status.success());
    assert!(machine.socket().exists(), "who is killed cannot clean up");

    let serve = machine.serve();
    assert_eq!(identity(&machine), before);
    machine.quote("07");
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed(&format!("verify q.bin --trusted-root root.pem --source {}", serve.pccs()));
}
