//! Directories and sockets that are removed under the service.

use std::fs;
use std::os::unix::fs::symlink;

use crate::fault::{Fault, Outcome, check};
use crate::site::{IN_RUN, Site};
use crate::support::Machine;
use crate::trouble::Trouble;

#[test]
#[ignore = "just faults"]
fn faults_of_directories() {
    let fault = Fault::new;
    check(&[
        Fault {
            troubles: &[Trouble::Nobody],
            note: " until it is restarted",
            ..fault(
                "the socket's directory is removed while the service runs",
                "start it again",
                "the service exits with code 1 for the service manager to restart it; it \
                 recreates directory and socket",
                socket_directory,
            )
        },
        fault(
            "the state directory is removed while the service runs",
            "",
            "restore it from a backup before the next start, which would otherwise create \
             another platform",
            state_directory,
        ),
        fault(
            "the control socket is removed while the service runs, and a new instance starts",
            "another service is listening at",
            "the new instance exits and suggests `--take-over`; stop the running one first, as a \
             service manager does",
            control_socket,
        ),
    ]);
}

fn socket_directory() -> Outcome {
    let machine = Machine::new();
    symlink("run/aesm.socket", machine.socket()).unwrap();
    let mut site = Site::with(machine, |machine| machine.command(IN_RUN));
    let load = site.during(|site, progress| {
        fs::remove_dir_all(site.machine.path("run")).unwrap();
        progress.of_failures();
        site.wait_for_failure();
        site.start();
        progress.of_quotes();
    });
    site.outcome(load)
}

fn state_directory() -> Outcome {
    let mut site = Site::new("");
    let [state, backup] = ["state", "backup"].map(|name| site.machine.path(name));
    let load = site.during(|_, progress| {
        fs::rename(&state, &backup).unwrap();
        progress.of_quotes();
        fs::rename(&backup, &state).unwrap();
    });
    site.outcome(load)
}

fn control_socket() -> Outcome {
    let mut site = Site::new("");
    let load = site.during(|site, progress| {
        fs::remove_file(site.machine.control()).unwrap();
        site.start_in_vain("--take-over");
        progress.of_quotes();
    });
    site.outcome(load)
}
