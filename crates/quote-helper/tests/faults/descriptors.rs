//! Too few descriptors.

use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

use crate::fault::{Fault, Needs, Outcome, check};
use crate::site::Site;

#[test]
#[ignore = "just faults"]
fn faults_of_descriptors() {
    check(&[Fault {
        name: "no descriptor is left",
        needs: Needs::Nothing,
        troubles: &[],
        note: ", once there is a descriptor",
        log: "cannot accept a connection; retrying",
        afterwards: "recovers by itself",
        happen: exhausted,
    }]);
}

fn exhausted() -> Outcome {
    let mut site = Site::new("");
    let load = site.during(|site, progress| {
        let pid = site.serve().pid();
        let maximum = getrlimit(Resource::Nofile).maximum;
        let allow = |current| {
            prlimit(Some(pid), Resource::Nofile, Rlimit { current, maximum }).unwrap();
        };
        // Those of standard input, output and error: what is open stays open, and nothing more is
        // opened.
        allow(Some(3));
        thread::sleep(Duration::from_secs(1));
        allow(maximum);
        progress.of_quotes();
    });
    site.outcome(load)
}
