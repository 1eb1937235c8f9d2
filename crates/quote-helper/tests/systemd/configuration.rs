//! The origins of settings.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use aesm::Request;

use crate::machine::{Machine, eventually};

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn the_configuration_file_decides() {
    let machine = Machine::boot();
    machine.start_quote_service(
        "platform = 'software'\n\
         metrics_listen = '/run/quote-helper/metrics.socket'\n\
         [collateral]\n\
         cache_dir = '/var/cache/quote-helper/elsewhere'\n",
    );
    machine.quote();
    assert!(machine.path("/run/quote-helper/metrics.socket").exists());
    let state = machine.path("/var/lib/quote-helper").metadata().unwrap();
    assert_eq!(state.permissions().mode() & 0o7777, 0o700);
    assert_ne!(state.uid(), 0);
    assert!(machine.path("/var/lib/quote-helper/machine.json").exists());
    let journal = machine.journal();
    assert!(journal.contains("INSECURE: quotes come from the software platform"), "{journal}");
    assert!(journal.contains("serving quotes socket=/run/aesmd/aesm.socket"), "{journal}");
    let warnings = machine.succeed("journalctl --priority=warning --unit=sgx-quote-helper");
    assert!(warnings.contains("WARN INSECURE"), "{warnings}");
    assert!(!warnings.contains("serving quotes"), "{warnings}");

    machine.write(
        "/etc/quote-helper/config.toml",
        "platform = 'software'\nstate_dir = '/tmp/state'\n",
    );
    machine.succeed("systemctl restart sgx-quote-helper");
    machine.quote();
    let journal = machine.journal();
    assert!(journal.contains("state_dir=/tmp/state"), "{journal}");
}

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn without_a_configuration_there_is_real_sgx_and_nothing_else() {
    let machine = Machine::boot();
    // Our library of the name libsgx_dcap_ql.so.1 is not taken for Intel's.
    machine.succeed("ldconfig && systemctl enable --now sgx-quote-helper");
    let quote =
        "quote-helper quote --socket /run/aesmd/aesm.socket --report-data 07 --out /tmp/quote";
    assert!(!machine.run(quote).status.success());
    let journal = machine.journal();
    assert!(journal.contains("cannot find Intel's quote generation library"), "{journal}");
    assert!(journal.contains("/var/cache/quote-helper/collateral"), "{journal}");
    // A library that Intel's loads in a worker finds the same directory.
    let pid = machine.property("sgx-quote-helper", "MainPID");
    let variables = machine.succeed(&format!("tr '\\0' '\\n' </proc/{pid}/environ"));
    assert!(variables.contains("XDG_CACHE_HOME=/var/cache\n"), "{variables}");
    assert!(!variables.contains("QUOTE_HELPER_"), "they would override the file: {variables}");
}

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn a_mistake_is_in_the_journal_and_clients_wait_until_it_is_mended() {
    let machine = Machine::boot();
    machine.write("/etc/quote-helper/config.toml", "platform = 'software'\nsokcet = 'a'\n");
    assert!(!machine.run("systemctl start sgx-quote-helper").status.success());
    let mut client = machine.connect();
    client.write_all(&Request::GetSupportedAttKeyIdNum.to_frame(None)).unwrap();
    // More often than systemd would start it by default.
    eventually("restarts", || {
        let restarts = machine.property("sgx-quote-helper", "NRestarts");
        restarts.parse::<u32>().is_ok_and(|restarts| restarts > 5).then_some(())
    });
    let journal = machine.journal();
    assert!(journal.contains("/etc/quote-helper/config.toml"), "{journal}");
    assert!(journal.contains("sokcet"), "{journal}");
    machine.write("/etc/quote-helper/config.toml", "platform = 'software'\n");
    client.read_exact(&mut [0; 11]).expect("a reply");
}
