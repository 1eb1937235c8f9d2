//! The systemd units of the quote service.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SOCKET: &str = "sgx-quote-helper.socket";
const SERVICE: &str = "sgx-quote-helper.service";
/// The paths of the units' socket.
const PATHS: [&str; 2] = ["/var/run/aesmd/aesm.socket", "/run/aesmd/aesm.socket"];

/// The timeout of systemctl.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The command that starts both units, now and at each boot.
const ENABLE: &str =
    "`sudo systemctl enable --now sgx-quote-helper.socket sgx-quote-helper.service`";
const RESTART: &str = "`sudo systemctl restart sgx-quote-helper.socket sgx-quote-helper.service`";

/// The state of the units, by systemd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Units {
    socket: Unit,
    service: Unit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Unit {
    /// For instance `loaded`, `not-found` or `masked`.
    load: String,
    /// For instance `active`, `inactive`, `failed` or `activating`.
    active: String,
}

impl Units {
    /// The state; `None` if systemd does not run here, or this is another socket than the units'.
    pub(crate) fn gather(socket: &Path) -> Option<Self> {
        let is_theirs = PATHS.iter().any(|path| socket == Path::new(path));
        if !is_theirs || !Path::new("/run/systemd/system").exists() {
            return None;
        }
        Self::parse(&show()?)
    }

    /// Parses the output of `systemctl show`.
    fn parse(text: &str) -> Option<Self> {
        let mut units = text.trim().split("\n\n").map(|block| {
            let value = |key: &str| {
                let lines = block.lines().filter_map(|line| line.split_once('='));
                lines.into_iter().find(|(name, _)| *name == key).map(|(_, value)| value.to_owned())
            };
            Some(Unit { load: value("LoadState")?, active: value("ActiveState")? })
        });
        Some(Self { socket: units.next()??, service: units.next()?? })
    }

    /// The state and the fix when nobody listens at the socket.
    pub(crate) fn without_listener(&self) -> (String, String) {
        let Self { socket, service } = self;
        let masked = [(SOCKET, socket), (SERVICE, service)].into_iter();
        let masked = masked.filter(|(_, unit)| unit.load == "masked").map(|(name, _)| name);
        let masked: Vec<_> = masked.collect();
        if !masked.is_empty() {
            let units = masked.join(" ");
            return (
                format!("masked: {units}"),
                format!("`sudo systemctl unmask {units}`, then {ENABLE}"),
            );
        }
        if socket.load == "not-found" {
            return (
                format!("the quote service is not installed: systemd has no unit {SOCKET}"),
                format!(
                    "install it, as docs/systemd.md describes, then {ENABLE}; or start one by \
                     hand, `quote-helper serve`"
                ),
            );
        }
        let state = format!("the unit {SOCKET} is {}", socket.active);
        match socket.active.as_str() {
            "failed" => {
                (state, format!("`systemctl status {SOCKET}` tells why it failed; then {RESTART}"))
            }
            "active" => (
                format!("{state}, but its file was removed or replaced"),
                format!("{RESTART}, which makes it again; running containers keep the directory"),
            ),
            _ => (state, ENABLE.to_owned()),
        }
    }

    /// The fix when the socket's holder does not answer; `None` if that is not the service's unit.
    pub(crate) fn without_answer(&self) -> Option<String> {
        let active = self.service.active.as_str();
        let is_theirs = self.socket.active == "active" || active == "active";
        is_theirs.then(|| match active {
            "active" => format!("see the service's log, `journalctl -u {SERVICE}`"),
            "inactive" => format!(
                "systemd holds the socket, and the service does not run: `sudo systemctl enable \
                 --now {SERVICE}`"
            ),
            _ => format!(
                "systemd holds the socket, and the unit {SERVICE} is {active}: `journalctl -u \
                 {SERVICE}` tells why; after the fix, `sudo systemctl restart {SERVICE}`"
            ),
        })
    }
}

/// The output of `systemctl show`; `None` if it fails or takes too long.
fn show() -> Option<String> {
    let mut command = Command::new("systemctl");
    command.args(["show", "--property=LoadState,ActiveState", SOCKET, SERVICE]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let begin = Instant::now();
    loop {
        match child.try_wait().ok()? {
            Some(status) if status.success() => break,
            Some(_) => return None,
            None if begin.elapsed() < TIMEOUT => sleep(Duration::from_millis(10)),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
    let mut text = String::new();
    // The few lines fit into the pipe.
    child.stdout?.read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Units in these states: load and active state of the socket, then of the service.
    pub(in crate::quote_service::socket) fn units(states: [&str; 4]) -> Units {
        let [socket_load, socket_active, load, active] = states;
        Units::parse(&format!(
            "LoadState={socket_load}\nActiveState={socket_active}\n\n\
             LoadState={load}\nActiveState={active}\n"
        ))
        .unwrap()
    }

    #[test]
    fn each_state_without_a_listener_has_its_fix() {
        for (states, state, fix) in [
            (
                ["not-found", "inactive", "not-found", "inactive"],
                "not installed",
                "docs/systemd.md",
            ),
            (
                ["masked", "inactive", "loaded", "inactive"],
                "masked: sgx-quote-helper.socket",
                "unmask",
            ),
            (["loaded", "inactive", "loaded", "inactive"], "is inactive", "enable --now"),
            (["loaded", "failed", "loaded", "inactive"], "is failed", "systemctl status"),
            (["loaded", "active", "loaded", "active"], "removed or replaced", "systemctl restart"),
        ] {
            let (said, how) = units(states).without_listener();
            assert!(said.contains(state) && how.contains(fix), "{states:?}: {said}: {how}");
        }
    }

    #[test]
    fn each_state_without_an_answer_has_its_fix() {
        for (states, fix) in [
            (["loaded", "active", "loaded", "failed"], Some("is failed: `journalctl -u")),
            (["loaded", "active", "loaded", "activating"], Some("is activating: `journalctl -u")),
            (["loaded", "active", "loaded", "inactive"], Some("--now sgx-quote-helper.service")),
            (["loaded", "active", "loaded", "active"], Some("see the service's log")),
            (["loaded", "inactive", "loaded", "inactive"], None),
        ] {
            let how = units(states).without_answer();
            assert_eq!(how.is_some(), fix.is_some(), "{states:?}: {how:?}");
            let how = how.unwrap_or_default();
            assert!(how.contains(fix.unwrap_or_default()), "{states:?}: {how}");
        }
    }

    #[test]
    fn other_output_and_other_sockets_have_no_units() {
        for text in ["", "LoadState=loaded", "LoadState=loaded\nActiveState=active\n"] {
            assert_eq!(Units::parse(text), None, "{text}");
        }
        assert_eq!(Units::gather(Path::new("/tmp/aesm.socket")), None);
    }
}
