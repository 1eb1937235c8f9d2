//! Intel's service of the same socket, here a stand-in.

use crate::machine::{Machine, QUOTE_SERVICE};

/// Like aesmd it makes the socket itself, and removes it when it ends.
const AESMD: &str = "[Service]\n\
    Type=notify\n\
    ExecStart=/usr/local/bin/quote-helper serve --platform software --state-dir /var/lib/aesmd \
    --socket /var/run/aesmd/aesm.socket\n\
    ExecStopPost=/bin/sh -c 'sleep 1; rm -f /var/run/aesmd/aesm.socket'\n\
    [Install]\n\
    WantedBy=multi-user.target\n";

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn the_start_of_either_ends_the_other_one() {
    let machine = Machine::boot();
    let state = |unit: &str| machine.property(unit, "ActiveState");
    machine.write("/etc/systemd/system/aesmd.service", AESMD);
    machine.succeed("systemctl daemon-reload && systemctl start aesmd.service");
    machine.quote();
    machine.start_quote_service("platform = 'software'\n");
    assert_eq!(state("aesmd.service"), "inactive");
    assert_eq!(machine.property("aesmd.service", "Result"), "success");
    machine.quote();
    assert_eq!(state("sgx-quote-helper.service"), "active");

    machine.succeed("systemctl start aesmd.service");
    for unit in QUOTE_SERVICE.split(' ') {
        assert_eq!(state(unit), "inactive");
    }
    machine.quote();
}
