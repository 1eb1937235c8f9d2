//! A service that is killed.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::application::{Application, Library};
use crate::fault::{Fault, Needs, Outcome, check};
use crate::site::Site;
use crate::support::inode;
use crate::trouble::Trouble;

#[test]
#[ignore = "just faults"]
fn faults_of_killed_processes() {
    check(&[Fault {
        name: "the service is killed (kill -9)",
        needs: Needs::Nothing,
        troubles: &[Trouble::Nobody],
        note: " until it is restarted; our client library retries for 15 s and gets every quote",
        log: "",
        afterwards: "restart it, as a service manager does; it replaces the stale socket",
        happen: killed,
    }]);
}

fn killed() -> Outcome {
    let mut site = Site::new("");
    let load = site.during(|site, progress| {
        let left = inode(&site.machine.socket());
        site.end(Signal::KILL);
        progress.of_failures();
        let ours = Application::new(Library::Ours, &site.machine.socket());
        thread::scope(|scope| {
            let patient = scope.spawn(|| ours.quote(1));
            thread::sleep(Duration::from_secs(1));
            site.start();
            patient.join().unwrap().unwrap();
        });
        assert_ne!(inode(&site.machine.socket()), left);
        progress.of_quotes();
    });
    site.outcome(load)
}
