//! Upgrades from the release before and downgrades to it. `just upgrade-test` builds its programs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use quoting::{AesmQuoter, Quoter};
use sgx::AttestationKeyId;

use crate::application::Library;
use crate::load::load_during;
use crate::never_down::print;
use crate::never_down::service::Service;
use crate::on_disk::{facts, make};
use crate::support::{Machine, RunResult, SERVE, Serve};

/// Upgrades, and as many downgrades.
const TIMES: usize = 10;

type StartService = fn() -> Service;

const SERVICES: [(&str, StartService, Library); 4] = [
    ("in process", Service::software, Library::Fortanix),
    ("in process, our library", Service::software, Library::Ours),
    ("by workers", Service::isolated, Library::Fortanix),
    ("by workers with Intel's interface", Service::dcap, Library::Fortanix),
];

/// The program of this version.
fn own() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_quote-helper"))
}

/// The program of the release before.
fn previous() -> PathBuf {
    let directory = std::env::var_os("PREVIOUS_RELEASE").expect("run `just upgrade-test`");
    Path::new(&directory).join("quote-helper")
}

#[test]
#[ignore = "needs the programs of the release before: just upgrade-test"]
fn upgrades_and_downgrades_lose_no_quote_and_keep_the_key() {
    println!("\n| {TIMES} × | quotes | failed | p50 | p99 | longest |\n|---|--:|--:|--:|--:|--:|");
    for (form, start, library) in SERVICES {
        let mut service = start();
        service.hand_over_to(&previous());
        let key = public_key_id(&service.socket());
        let socket = service.socket();
        let (load, ()) = load_during(library, &socket, |progress| {
            for _ in 0..TIMES {
                service.hand_over_to(own());
                progress.of_quotes();
                service.hand_over_to(&previous());
                progress.of_quotes();
            }
        });
        print(&format!("upgrade and downgrade, quotes {form}"), &load);
        assert_eq!(load.failures(), 0, "{form}: {:?}", load.troubles());
        service.hand_over_to(own());
        assert_eq!(public_key_id(&socket), key, "{form}: another attestation key");
    }
}

#[test]
#[ignore = "needs the programs of the release before: just upgrade-test"]
fn state_is_read_after_an_upgrade_and_after_a_downgrade() {
    let machine = Machine::new();
    make(&machine, &previous());
    let before = facts(&machine, &previous());
    assert_eq!(facts(&machine, own()), before, "after the upgrade");
    assert_eq!(facts(&machine, &previous()), before, "after the downgrade");
}

#[test]
#[ignore = "needs the programs of the release before: just upgrade-test"]
fn clients_of_each_release_are_served_by_the_other() {
    for (service, client) in [(own().to_owned(), previous()), (previous(), own().to_owned())] {
        let machine = Machine::new();
        let _serve = Serve::start(&mut machine.command_of(&service, SERVE));
        for line in [
            "quote --socket aesm.socket --report-data 07 --out q.bin",
            "conformance --socket aesm.socket",
        ] {
            RunResult::of(&mut machine.command_of(&client, line)).with_code(0);
        }
    }
}

fn public_key_id(socket: &Path) -> [u8; 32] {
    let quoter = AesmQuoter::new(socket, Duration::from_secs(15));
    quoter.initialize(&AttestationKeyId::ecdsa_p256()).unwrap().public_key_id
}
