//! The fix for a socket that this user may not open.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use private_directory::quoted;

/// The fix that lets this user open the socket: its group, or the service's settings, since a
/// changed mode lasts only until the next start.
pub(super) fn fix(socket: &Path) -> String {
    let mode = fs::metadata(socket).map(|file| (file.mode(), file.gid()));
    match mode {
        Ok((mode, _)) if mode & 0o006 == 0o006 => {
            "the socket's mode lets everybody open it, so a security module denies it. SELinux: \
             `ausearch -m avc -ts recent` shows the denial, and docs/image.md has the labels for \
             containers, docs/hardening.md the module for the service. AppArmor: `journalctl -k` \
             shows it. Mount options such as noexec do not matter to sockets"
                .to_owned()
        }
        Ok((mode, group)) if mode & 0o060 == 0o060 => format!(
            "the socket is for the group {group} alone: let this user join it (usermod -aG; in a \
             container docker run --group-add {group}, in Kubernetes supplementalGroups), or start \
             the service without socket_group"
        ),
        _ => format!(
            "let every user open the socket: chmod 0666 {}, and SocketMode=0666 in a socket unit \
             of systemd, which sets it at each start",
            quoted(socket)
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_mode_tells_group_owner_and_security_module_apart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        for (mode, text) in [
            (0o666, "SELinux: `ausearch -m avc -ts recent`"),
            (0o660, "supplementalGroups"),
            (0o600, "chmod 0666 "),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let fix = fix(&path);
            assert!(fix.contains(text), "{mode:o}: {fix}");
        }
    }
}
