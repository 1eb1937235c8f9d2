//! More than one instance at a time.

use std::path::Path;
use std::thread;
use std::time::Duration;

use quoting::{AesmQuoter, Quoter};
use sgx::AttestationKeyId;
use software_platform::SoftwarePlatform;

use crate::application::Library;
use crate::fault::{Fault, Outcome, check};
use crate::load::load_during;
use crate::site::is_running;
use crate::support::{Machine, SERVE, Serve, eventually};

#[test]
#[ignore = "just faults"]
fn faults_of_several_instances() {
    let fault =
        |name, afterwards, happen| Fault::new(name, "a new instance serves", afterwards, happen);
    check(&[
        fault(
            "two instances start at once, and none serves",
            "one waits for the other and takes over from it; one platform and one service remain",
            || two_at_once(|_| Vec::new()),
        ),
        fault(
            "two instances start at once, and another one serves",
            "one takes over after the other; one service remains",
            || two_at_once(|machine| vec![machine.serve()]),
        ),
    ]);
}

/// Starts two instances at once, beside others; in the end there is one.
fn two_at_once(others: impl FnOnce(&Machine) -> Vec<Serve>) -> Outcome {
    let machine = Machine::new();
    let (mut instances, socket) = (others(&machine), machine.socket());
    let (load, ()) = thread::scope(|scope| {
        let start = || Serve::start(&mut machine.command(SERVE));
        let started = [(); 2].map(|()| scope.spawn(start));
        eventually("there is a socket", || socket.exists());
        load_during(Library::Fortanix, &socket, |progress| {
            instances.extend(started.map(|instance| instance.join().unwrap()));
            let running = || instances.iter().filter(|instance| is_running(instance)).count();
            eventually("there is one", || running() == 1);
            progress.of_quotes();
        })
    });
    assert_eq!(public_key_id(&socket), kept_key_id(&machine));
    let ended = instances.into_iter().filter(|instance| !is_running(instance));
    Outcome { load, log: ended.map(log_of).collect() }
}

fn log_of(ended: Serve) -> String {
    let (status, log) = ended.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    log
}

fn public_key_id(socket: &Path) -> [u8; 32] {
    let quoter = AesmQuoter::new(socket, Duration::from_secs(15));
    quoter.initialize(&AttestationKeyId::ecdsa_p256()).unwrap().public_key_id
}

fn kept_key_id(machine: &Machine) -> [u8; 32] {
    SoftwarePlatform::open(&machine.path("state")).unwrap().public_key_id()
}
