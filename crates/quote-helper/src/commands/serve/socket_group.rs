//! Who may connect to the socket: everybody, or a group of the system, by name or by number.

use std::path::Path;

use anyhow::{Context, bail};
use sockets::SocketAccess;

/// Where groups are.
const GROUPS: &str = "/etc/group";

/// Who may connect, with or without a group.
pub(super) fn access(group: Option<&str>) -> anyhow::Result<SocketAccess> {
    group.map_or(Ok(SocketAccess::Everybody), |group| Ok(SocketAccess::Group(number(group)?)))
}

/// The number of the group: that itself, or by its name in /etc/group. Groups that are elsewhere, in LDAP for
/// instance, have numbers only.
fn number(group: &str) -> anyhow::Result<u32> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let groups = std::fs::read_to_string(Path::new(GROUPS))
        .with_context(|| format!("cannot look the group {group} up in {GROUPS}"))?;
    match find(&groups, group) {
        Some(number) => Ok(number),
        None => bail!(
            "there is no group {group} in {GROUPS}; make it (groupadd --system {group}), or set socket_group to \
             another one or to its number"
        ),
    }
}

/// A line is `name:password:number:members`.
fn find(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        fields.nth(1).filter(|_| found)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_whole_name() {
        let groups = "root:x:0:\n# sgx\nsgx_prv:x:115:aesmd\nsgx:x:116:a,b\nodd\nbad:x:-1:\n";
        assert_eq!(find(groups, "sgx"), Some(116));
        assert_eq!(find(groups, "sgx_prv"), Some(115));
        for name in ["", "sg", "116", "odd", "bad", "a"] {
            assert_eq!(find(groups, name), None, "{name}");
        }
    }

    #[test]
    fn a_number_is_a_group() {
        assert_eq!(number("54321").unwrap(), 54321);
        assert_eq!(number("root").unwrap(), 0);
        let error = number("no-such-group").unwrap_err().to_string();
        assert!(error.contains("there is no group no-such-group"), "{error}");
    }
}
