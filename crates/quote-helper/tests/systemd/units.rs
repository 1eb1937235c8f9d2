//! The files themselves.

use crate::machine::Machine;

/// Each unit of a service, and the exposure that it may have, in tenths, as `systemd-analyze
/// security` counts it.
const SERVICES: [(&str, u32); 2] = [("sgx-quote-helper.service", 20), ("sgx-pccs.service", 15)];

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn systemds_own_checks_find_nothing() {
    let machine = Machine::boot();
    let has_man = machine.run("man --version").status.success();
    let units = "sgx-quote-helper.service sgx-quote-helper.socket sgx-pccs.service";
    let found = machine.succeed(&format!("systemd-analyze verify --man={has_man} {units}"));
    let ours: Vec<_> = found.lines().filter(|line| line.contains("sgx-")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
    for (service, exposure) in SERVICES {
        machine.succeed(&format!("systemd-analyze security --threshold={exposure} {service}"));
    }
}

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn each_service_has_a_user_of_its_own_and_the_groups_of_the_devices_are_there() {
    let machine = Machine::boot();
    machine.succeed("getent passwd sgx-quote-helper sgx-pccs");
    machine.succeed("getent group sgx sgx_prv sgx-quote-helper sgx-pccs");
}
