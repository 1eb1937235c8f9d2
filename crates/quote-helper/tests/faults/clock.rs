//! A system clock that is wrong by years.

use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use time::{Duration, OffsetDateTime};

use crate::fault::{Fault, Outcome, check};
use crate::site::Site;
use crate::support::{Machine, SERVE};

const YEARS: Duration = Duration::days(3_652);

#[test]
#[ignore = "just faults"]
fn faults_of_the_clock() {
    let afterwards = "timeouts do not depend on this clock; log lines and served collateral have \
                      wrong dates, and verifiers with a correct clock reject the collateral";
    let jump = |name, happen| Fault::new(name, "", afterwards, happen);
    check(&[
        jump("the clock jumps 10 years ahead, and the service restarts", || jumps(YEARS)),
        jump("the clock jumps 10 years back, and the service restarts", || jumps(-YEARS)),
    ]);
}

fn jumps(offset: Duration) -> Outcome {
    let machine = Machine::new();
    compile(&machine.path("clock.so"));
    machine.write("offset", "0");
    let mut site = Site::with(machine, |machine| {
        let mut command: Command = machine.command(SERVE);
        command.env("LD_PRELOAD", machine.path("clock.so"));
        command.env("CLOCK_OFFSET", machine.path("offset"));
        command
    });
    let load = site.during(|site, progress| {
        site.machine.write("offset", offset.whole_seconds().to_string());
        progress.of_quotes();
    });
    site.end(Signal::TERM);
    let year = (OffsetDateTime::now_utc() + offset).year();
    assert!(site.log().contains(&format!("\"timestamp\":\"{year}-")), "{}", site.log());
    site.start();
    let load = load.and(site.during(|_, progress| progress.of_quotes()));
    site.machine.write("offset", "0");
    site.outcome(load)
}

fn compile(library: &Path) {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/clock.c");
    let mut gcc = Command::new("gcc");
    gcc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", source, "-o"]).arg(library);
    assert!(gcc.status().expect("gcc is there").success());
}
