//! The unit of `collateral serve`.

use crate::machine::{Machine, eventually};

const SERVICE: &str = "sgx-pccs.service";
const SETTINGS: &str = "QUOTE_HELPER_COLLATERAL_MODE=offline\n\
    QUOTE_HELPER_LISTEN=127.0.0.1:8081\n\
    QUOTE_HELPER_METRICS_LISTEN=127.0.0.1:17491\n\
    QUOTE_HELPER_ADMIN_TOKEN_FILE=/etc/quote-helper/admin-token.sha512\n";

/// The status of an answer, as an administrator with this token gets it.
fn status(machine: &Machine, token: &str) -> String {
    let request = format!(
        "GET /sgx/certification/v4/platforms?source=reg HTTP/1.0\\r\\nadmin-token: {token}\\r\\n\\r\\n"
    );
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/8081; printf '{request}' >&3; read -r _ status _ <&3; echo $status"
    );
    machine.succeed(&format!("bash -c \"{}\"", script.replace('$', "\\$"))).trim().to_owned()
}

fn set_token(machine: &Machine, token: &str) {
    let file = "/etc/quote-helper/admin-token.sha512";
    machine.succeed(&format!(
        "mkdir -p /etc/quote-helper; printf %s {token} | sha512sum | cut -d' ' -f1 >{file} && \
         chown root:sgx-pccs {file} && chmod 640 {file}"
    ));
}

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn it_starts_reloads_restarts_and_stops() {
    let machine = Machine::boot();
    set_token(&machine, "first");
    machine.write("/etc/quote-helper/sgx-pccs.env", SETTINGS);
    machine.succeed(&format!("systemctl enable --now {SERVICE}"));
    assert_eq!(machine.property(SERVICE, "StatusText"), "serving collateral");
    assert_eq!(status(&machine, "first"), "200");
    assert!(machine.path("/var/lib/sgx-pccs/platforms.redb").exists());

    let main = machine.property(SERVICE, "MainPID");
    set_token(&machine, "second");
    machine.succeed(&format!("systemctl reload {SERVICE}"));
    eventually("the new token", || (status(&machine, "second") == "200").then_some(()));
    assert_eq!(status(&machine, "first"), "401");
    assert_eq!(machine.property(SERVICE, "MainPID"), main);

    machine.succeed(&format!("systemctl kill --kill-whom=main --signal=KILL {SERVICE}"));
    eventually("a new instance", || {
        let new = machine.property(SERVICE, "MainPID");
        (new != "0" && new != main).then_some(())
    });
    machine.succeed(&format!("systemctl restart {SERVICE} && systemctl stop {SERVICE}"));
    assert_eq!(machine.property(SERVICE, "Result"), "success");
    let journal = machine.journal();
    for line in ["serving collateral", "code=killed, status=9/KILL", "stopped"] {
        assert!(journal.contains(line), "{line}: {journal}");
    }
}
