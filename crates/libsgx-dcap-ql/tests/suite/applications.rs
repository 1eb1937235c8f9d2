//! C programs that use the libraries as applications do, in both modes.

use std::thread;
use std::time::Duration;
use test_support::c_programs::{Build, succeeded};

use crate::PROGRAMS;
use crate::machine::{Machine, Mode};

/// The smallest stacks of a thread that quotes, in KiB, as docs/c-libraries.md has them.
const SMALLEST_STACKS: [(Mode, u32); 2] = [(Mode::Service, 48), (Mode::InProcess, 256)];

/// Runs the program in both modes on a machine of its own, compiled in both ways; `check` gets the
/// machine afterwards.
fn in_both_modes(name: &str, check: impl Fn(&Machine)) {
    for build in [Build::Plain, Build::Sanitized] {
        let program = PROGRAMS.compile(name, build);
        for mode in [Mode::InProcess, Mode::Service] {
            let machine = Machine::new();
            let _service = (mode == Mode::Service).then(|| machine.serve());
            succeeded(&mut machine.command(&program, mode));
            check(&machine);
        }
    }
}

#[test]
fn an_application_attests() {
    in_both_modes("attest", |machine| {
        machine.accepts_quote("quote_ex.bin");
        machine.accepts_quote("dcap_ql.bin");
        machine.accepts_qe_report_info("qe_report_info.bin");
    });
}

#[test]
fn sizes_are_told_before_there_are_buffers() {
    in_both_modes("two_calls", |machine| machine.accepts_quote("two_calls.bin"));
}

#[test]
fn wrong_arguments_are_refused() {
    in_both_modes("arguments", |_| ());
}

#[test]
fn libraries_are_loaded_and_unloaded_and_keep_their_mode() {
    in_both_modes("loaded", |machine| machine.accepts_quote("loaded.bin"));
}

#[test]
fn a_thread_with_a_small_stack_attests() {
    let program = PROGRAMS.compile("small_stack", Build::Plain);
    for (mode, kib) in SMALLEST_STACKS {
        let machine = Machine::new();
        let _service = (mode == Mode::Service).then(|| machine.serve());
        succeeded(machine.command(&program, mode).arg(kib.to_string()));
    }
}

#[test]
fn a_service_that_restarts_is_waited_for() {
    let machine = Machine::new();
    drop(machine.serve());
    let program = PROGRAMS.compile("attest", Build::Plain);
    thread::scope(|scope| {
        let application = scope.spawn(|| succeeded(&mut machine.command(&program, Mode::Service)));
        thread::sleep(Duration::from_millis(300));
        let _service = machine.serve();
        application.join().unwrap();
    });
    machine.accepts_quote("quote_ex.bin");
}
