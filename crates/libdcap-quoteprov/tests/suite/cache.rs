//! The cache, without a service, with damaged files and killed processes.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use test_support::c_programs::{Build, Program, succeeded};

use sgx::Quote3Error;

use crate::PROGRAMS;
use crate::outcomes::{COLLATERAL, Printed, QUOTE_CONFIG, ROOT_CA_CRL};
use crate::platform::{Platform, unused_address};

/// A platform with a filled cache, and the program `outcomes`.
fn filled() -> (Platform, Program) {
    let (platform, program) = (Platform::new(), PROGRAMS.compile("outcomes", Build::Plain));
    let service = platform.serve();
    all_there(&Printed::by(&mut impatient(&platform, &program, service.address)));
    (platform, program)
}

/// The program, with a short timeout.
fn impatient(platform: &Platform, program: &Program, service: SocketAddr) -> Command {
    let mut command = platform.command(program, service);
    command
        .env("QUOTE_HELPER_COLLATERAL_TIMEOUT", "1s")
        .env("QUOTE_HELPER_COLLATERAL_RETRIES", "0");
    command
}

fn all_there(printed: &Printed) {
    for function in [QUOTE_CONFIG, COLLATERAL, ROOT_CA_CRL] {
        assert_eq!(
            printed.error(function),
            Quote3Error::SUCCESS,
            "{function}: {:?}",
            printed.logged
        );
    }
}

#[test]
fn cached_items_are_returned_at_once_without_a_service() {
    let (platform, program) = filled();
    let printed = Printed::by(&mut impatient(&platform, &program, unused_address()));
    all_there(&printed);
    for function in [QUOTE_CONFIG, COLLATERAL, ROOT_CA_CRL] {
        let time = printed.calls[function].1;
        assert!(time < Duration::from_millis(500), "{function}: {time:?}");
    }
}

#[test]
fn cleared_items_are_fetched_again() {
    let (platform, _) = filled();
    let program = PROGRAMS.compile("provide", Build::Plain);
    let service = platform.serve();
    succeeded(&mut platform.command(&program, service.address));
    // The program clears the cache at its end, and then fetches one item.
    let kept = std::fs::read_dir(platform.cache()).unwrap();
    let kept = kept
        .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|it| it == "json"));
    assert_eq!(kept.count(), 1);
}

#[test]
fn a_damaged_file_is_logged_and_replaced() {
    let (platform, program) = filled();
    let whole = std::fs::read(platform.pck_file()).unwrap();
    let mut flipped = whole.clone();
    let place = whole.windows(12).position(|text| text == b"CERTIFICATE-").unwrap() + 40;
    flipped[place] ^= 1;
    for damaged in [&whole[..whole.len() / 2], b"", b"{}", &flipped] {
        let service = platform.serve();
        std::fs::write(platform.pck_file(), damaged).unwrap();
        let printed = Printed::by(&mut impatient(&platform, &program, service.address));
        all_there(&printed);
        assert!(
            printed.errors().any(|message| message.contains("pck-certificate-")),
            "{:?}",
            printed.logged
        );
        let printed = Printed::by(&mut impatient(&platform, &program, unused_address()));
        all_there(&printed);
    }
}

#[test]
fn a_damaged_file_is_not_used_without_a_service() {
    let (platform, program) = filled();
    std::fs::write(platform.pck_file(), "{").unwrap();
    let printed = Printed::by(&mut impatient(&platform, &program, unused_address()));
    assert_eq!(printed.error(QUOTE_CONFIG), Quote3Error::NETWORK);
    assert_eq!(printed.error(COLLATERAL), Quote3Error::SUCCESS);
}

#[test]
fn collateral_that_cannot_be_stored_is_handed_out_and_logged() {
    let (platform, program) = (Platform::new(), PROGRAMS.compile("outcomes", Build::Plain));
    let service = platform.serve();
    let mut command = impatient(&platform, &program, service.address);
    // Not even root can make a directory below a file.
    let nowhere = platform.path("root.pem").join("cache");
    let printed = Printed::by(command.env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", nowhere));
    all_there(&printed);
    assert!(
        printed.errors().any(|message| message.contains("cannot store ")),
        "{:?}",
        printed.logged
    );
}

#[test]
fn a_read_only_cache_is_used() {
    let (platform, program) = filled();
    let permissions = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(platform.cache(), permissions(0o555)).unwrap();
    all_there(&Printed::by(&mut impatient(&platform, &program, unused_address())));
    std::fs::set_permissions(platform.cache(), permissions(0o755)).unwrap();
}

#[test]
fn collateral_stored_under_another_root_is_not_used() {
    let (platform, program) = filled();
    let service = platform.serve();
    // The default is Intel's root.
    let mut command = impatient(&platform, &program, service.address);
    let printed = Printed::by(command.env_remove("QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT"));
    for function in [QUOTE_CONFIG, COLLATERAL, ROOT_CA_CRL] {
        let error = printed.error(function);
        assert_eq!(error, Quote3Error::MESSAGE_PARSING, "{function}: {:?}", printed.logged);
    }
}

#[test]
fn a_process_killed_during_a_write_leaves_no_partial_file() {
    let (platform, program) = filled();
    let churn = PROGRAMS.compile("churn", Build::Plain);
    let service = platform.serve();
    for round in 0..15 {
        let mut command = platform.command(&churn, service.address);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        thread::sleep(Duration::from_micros(700 * round));
        process.kill().unwrap();
        process.wait().unwrap();
        let printed = Printed::by(&mut impatient(&platform, &program, service.address));
        all_there(&printed);
        let errors: Vec<_> = printed.errors().filter(|message| !message.contains("qve")).collect();
        assert!(errors.is_empty(), "round {round}: {errors:?}");
    }
}
