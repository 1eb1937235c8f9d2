//! The owners of subordinate uids, which rootless containers run as.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// The interval of checks for changes of the file.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The most bytes that are read of a file.
const MAX_FILE_SIZE: u64 = 4 * 1024 * 1024;

/// The ranges of /etc/subuid, kept up to date.
pub(super) struct UidRanges {
    subuid: PathBuf,
    passwd: PathBuf,
    checked: Option<Instant>,
    modified: Option<SystemTime>,
    /// Ordered by first uid.
    ranges: Vec<Range>,
}

/// The owner of subordinate uids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A user of the machine.
    User(u32),
    /// An owner without a uid here, by its first subordinate uid.
    Range(u32),
}

struct Range {
    first: u32,
    last: u32,
    owner: Owner,
}

impl Default for UidRanges {
    fn default() -> Self {
        Self::at("/etc/subuid", "/etc/passwd")
    }
}

impl UidRanges {
    fn at(subuid: impl Into<PathBuf>, passwd: impl Into<PathBuf>) -> Self {
        let (subuid, passwd) = (subuid.into(), passwd.into());
        Self { subuid, passwd, checked: None, modified: None, ranges: Vec::new() }
    }

    /// The ranges in the file, checked for changes at most once a second. Empty without a file.
    pub(super) fn refreshed(&mut self, now: Instant) -> &Self {
        if self.checked.is_some_and(|then| now.saturating_duration_since(then) < CHECK_INTERVAL) {
            return self;
        }
        self.checked = Some(now);
        let modified = fs::metadata(&self.subuid).and_then(|file| file.modified()).ok();
        if modified != self.modified {
            self.modified = modified;
            let [subuid, passwd] = [&self.subuid, &self.passwd].map(read);
            self.ranges = parse(&subuid.unwrap_or_default(), &passwd.unwrap_or_default());
        }
        self
    }

    /// The owner of the range with this uid, if there is one.
    pub(super) fn owner(&self, uid: u32) -> Option<Owner> {
        let next = self.ranges.partition_point(|range| range.first <= uid);
        let range = self.ranges.get(next.checked_sub(1)?)?;
        (uid <= range.last).then_some(range.owner)
    }

    #[cfg(test)]
    pub(super) fn parse(subuid: &str, passwd: &str) -> Self {
        Self { ranges: parse(subuid, passwd), ..Self::at("", "") }
    }
}

fn read(path: &PathBuf) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_SIZE).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Lines of /etc/subuid are `name or uid:first:count`; others are ignored.
fn parse(subuid: &str, passwd: &str) -> Vec<Range> {
    let mut owners: HashMap<&str, Owner> = users(passwd).collect();
    let mut ranges = Vec::new();
    for line in subuid.lines() {
        let Some((owner, first, last)) = range(line) else { continue };
        // Several ranges of one owner are one tenant, even if it is missing in /etc/passwd.
        let by_number = owner.parse().map_or(Owner::Range(first), Owner::User);
        let owner = *owners.entry(owner).or_insert(by_number);
        ranges.push(Range { first, last, owner });
    }
    ranges.sort_by_key(|range| range.first);
    ranges
}

fn range(line: &str) -> Option<(&str, u32, u32)> {
    let mut fields = line.trim().splitn(3, ':');
    let owner = fields.next().filter(|owner| !owner.is_empty())?;
    let first: u32 = fields.next()?.parse().ok()?;
    let count: u32 = fields.next()?.parse().ok()?;
    Some((owner, first, first.saturating_add(count.checked_sub(1)?)))
}

/// A line of /etc/passwd begins with `name:password:uid:`.
fn users(passwd: &str) -> impl Iterator<Item = (&str, Owner)> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        Some((name, Owner::User(fields.nth(1)?.parse().ok()?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nodd\n";

    #[test]
    fn ranges_belong_to_their_owners() {
        let subuid = "alice:100000:65536\n2000:200000:10\nldap:300000:10\nldap:400000:10\n";
        let ranges = UidRanges::parse(subuid, PASSWD);
        for (uid, owner) in [
            (0, None),
            (99_999, None),
            (100_000, Some(Owner::User(1000))),
            (165_535, Some(Owner::User(1000))),
            (165_536, None),
            (200_009, Some(Owner::User(2000))),
            (200_010, None),
            (300_000, Some(Owner::Range(300_000))),
            (400_009, Some(Owner::Range(300_000))),
            (u32::MAX, None),
        ] {
            assert_eq!(ranges.owner(uid), owner, "{uid}");
        }
    }

    #[test]
    fn invalid_lines_are_ignored() {
        for line in ["", "alice", "alice:1", "alice:1:0", "alice:-1:2", ":1:2", "a:1:2:3", "#a:b:c"]
        {
            assert!(UidRanges::parse(line, PASSWD).ranges.is_empty(), "{line}");
        }
        let most = UidRanges::parse("alice:4294967295:4294967295", PASSWD);
        assert_eq!(most.owner(u32::MAX), Some(Owner::User(1000)));
    }

    #[test]
    fn a_change_of_the_file_is_noticed_after_a_second() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name| directory.path().join(name);
        let (mut ranges, now) = (UidRanges::at(path("subuid"), path("passwd")), Instant::now());
        assert_eq!(ranges.refreshed(now).owner(100_000), None);
        fs::write(path("passwd"), PASSWD).unwrap();
        fs::write(path("subuid"), "alice:100000:1\n").unwrap();
        assert_eq!(ranges.refreshed(now).owner(100_000), None, "not yet");
        let later = now.checked_add(CHECK_INTERVAL).unwrap();
        assert_eq!(ranges.refreshed(later).owner(100_000), Some(Owner::User(1000)));
    }
}
