//! C programs that call the library as applications do, and as they should not.

use std::process::Command;

use test_support::c_programs::{Build, succeeded};
use test_support::shared_object::{Profile, shared_object};

use crate::platform::Platform;
use crate::{PROGRAMS, now, program};

/// The smallest stack of a calling thread, in KiB, as docs/c-libraries.md promises.
const SMALLEST_STACK: u32 = 256;

#[test]
fn the_header_is_for_c_and_cpp() {
    PROGRAMS.compilers_accept(&PROGRAMS.source("layouts.c"), &[]);
}

#[test]
fn wrong_arguments_have_the_documented_codes() {
    let platform = Platform::new();
    for build in [Build::Plain, Build::Sanitized] {
        let program = PROGRAMS.compile("arguments", build);
        let Some(mut command) = platform.command(&program, now()) else { return };
        succeeded(&mut command);
    }
}

#[test]
fn collateral_is_fetched_through_the_cache() {
    let platform = Platform::new();
    let service = platform.serve();
    for build in [Build::Plain, Build::Sanitized] {
        let program = PROGRAMS.compile("fetch", build);
        let Some(mut command) = platform.command(&program, now()) else { return };
        command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{}", service.address));
        succeeded(&mut command);
    }
    // The cache has everything now.
    let address = service.address;
    drop(service);
    let program = program("fetch");
    let mut command = platform.command(&program, now()).unwrap();
    command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{address}"));
    succeeded(&mut command);
}

#[test]
fn collateral_is_fetched_by_the_library_that_the_application_names() {
    let platform = Platform::new();
    let service = platform.serve();
    let library = shared_object("libdcap-quoteprov", Profile::Dev);
    let program = program("fetch");
    let Some(mut command) = platform.command(&program, now()) else { return };
    command.arg(&library);
    command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{}", service.address));
    succeeded(&mut command);
}

#[test]
fn threads_and_forked_children_verify_concurrently() {
    let platform = Platform::new();
    let service = platform.serve();
    // AddressSanitizer's allocator does not support a fork while another thread allocates.
    let program = program("forks");
    let Some(mut command) = platform.command(&program, now()) else { return };
    command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{}", service.address));
    succeeded(&mut command);
}

#[test]
fn a_small_stack_suffices() {
    let platform = Platform::new();
    let service = platform.serve();
    let program = program("small_stack");
    let Some(mut command) = platform.command(&program, now()) else { return };
    command.arg(SMALLEST_STACK.to_string());
    command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{}", service.address));
    succeeded(&mut command);
}

#[test]
fn a_privileged_program_ignores_variables() {
    let Some(program) = PROGRAMS.compile_privileged("privileged") else { return };
    let with_variables = |mut command: Command| {
        command
            .env("QUOTE_HELPER_COLLATERAL_SOURCES", "http://caller.example")
            .env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", "/tmp/caller");
        command
    };
    let ordinary = succeeded(&mut with_variables(program.ordinary()));
    assert!(ordinary.contains("http://caller.example"), "{ordinary}");
    let privileged = succeeded(&mut with_variables(program.command()));
    assert!(!privileged.contains("caller"), "{privileged}");
}
