//! The setting `socket_group`: the group that may connect, by name or number.

use anyhow::Context;
use nix::unistd::Group;
use sockets::SocketAccess;

/// The users who may connect, with or without a group.
pub(super) fn access(group: Option<&str>) -> anyhow::Result<SocketAccess> {
    group.map_or(Ok(SocketAccess::Everybody), |group| Ok(SocketAccess::Group(number(group)?)))
}

/// The number of the group, which is looked up where the system has its groups.
fn number(group: &str) -> anyhow::Result<u32> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let found = Group::from_name(group).with_context(|| format!("cannot look up group {group}"))?;
    let found = found.with_context(|| {
        format!(
            "unknown group {group}; create it (groupadd --system {group}), or set socket_group to \
             another one or to its number"
        )
    })?;
    Ok(found.gid.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_names_and_numbers() {
        assert_eq!(number("54321").unwrap(), 54321);
        assert_eq!(number("root").unwrap(), 0);
        for name in ["", "no-such-group", "roo", "root:x:0:"] {
            let error = number(name).unwrap_err().to_string();
            assert!(error.contains(&format!("unknown group {name};")), "{error}");
        }
    }
}
