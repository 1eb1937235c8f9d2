//! Privileged programs ignore the environment of their caller.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use quoting::SGX_AESM_ADDR;

use crate::PROGRAMS;

#[test]
fn a_privileged_program_asks_no_service_that_its_caller_chooses() {
    let Some(program) = PROGRAMS.compile_privileged("privileged") else { return };
    let socket = program.path().join("aesm.socket");
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(connects(program.ordinary().env(SGX_AESM_ADDR, &socket), &listener));
    assert!(!connects(program.command().env(SGX_AESM_ADDR, &socket), &listener));
}

#[test]
fn a_privileged_program_tells_its_caller_nothing() {
    let Some(program) = PROGRAMS.compile_privileged("privileged") else { return };
    let says = |command: &mut Command| {
        let output = command.env("QUOTE_HELPER_TRACE", "stderr").output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(says(&mut program.ordinary()).contains("libsgx_dcap_ql: sgx_qe_get_target_info"));
    assert_eq!(says(&mut program.command()), "");
}

/// Runs the program, and returns whether it connects to this listener.
fn connects(command: &mut Command, listener: &UnixListener) -> bool {
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    let has_connected = loop {
        match listener.accept() {
            Ok(_) => break true,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        if child.try_wait().unwrap().is_some() {
            break listener.accept().is_ok();
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it neither connects nor ends");
        sleep(Duration::from_millis(10));
    };
    let _ = child.kill();
    child.wait().unwrap();
    has_connected
}
