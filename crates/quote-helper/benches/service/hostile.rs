//! The effect of hostile callers on a well-behaved one.

mod role;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::geteuid;

use crate::figures::medians;
use crate::quote_service::{QuoteService, SOFTWARE};
use crate::setup::Setup;
use crate::table::{Figure, Row, Table};

pub(crate) use role::Role;
use role::RoleProcess;
use test_support::provider::Provider;

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    if !geteuid().is_root() {
        let what = "hostile callers that were measured: they are other users, which needs root";
        table.add(Row::new(what, Figure::Count(0)));
        return Ok(());
    }
    beside(table, "software platform", &Setup::start(SOFTWARE)?)?;
    let provider = Provider::build();
    provider.fault("sgx_ql_get_quote sleep 5");
    let library = format!("--dcap-library={}", provider.library().display());
    let dcap = Setup::start(&["--platform=dcap", &library, "--workers=2"])?;
    beside(table, "2 workers, 5 ms a quote", &dcap)
}

/// Measures the same caller alternately without and with hostile ones.
fn beside(table: &mut Table, which: &str, setup: &Setup) -> anyhow::Result<()> {
    let (program, service) = (open_to_others(setup)?, &setup.service);
    let mut resident = 0.0;
    let [quiet_p50, p50, quiet_p99, p99, by_service, by_hostile] = medians(|| {
        let quiet = Role::Caller.latencies(&program, service.socket())?;
        let attack = Attack::start(&program, service)?;
        let beside = Role::Caller.latencies(&program, service.socket())?;
        let (by_service, by_hostile) = attack.cpu_times_in_a_second()?;
        resident = service.resident_megabytes()?.max(resident);
        Ok([quiet.p50, beside.p50, quiet.p99, beside.p99, by_service, by_hostile])
    })?;
    let quiet = "without them";
    let row = |what: &str, figure| Row::new(format!("{what}, {which}"), figure);
    let [quiet_p50, p50, quiet_p99, p99] = [quiet_p50, p50, quiet_p99, p99].map(Figure::Time);
    let what = "p50 of quotes of a caller beside hostile ones";
    table.add(row(what, p50).compared_with(quiet, quiet_p50));
    let what = "p99 of quotes of a caller beside hostile ones";
    table.add(row(what, p99).compared_with(quiet, quiet_p99).promised("under 3", 3.0));
    let [by_service, by_hostile] = [by_service, by_hostile].map(Figure::Time);
    let what = "CPU time of the hostile ones in a second";
    table.add(row(what, by_hostile).compared_with("of the service", by_service));
    let what = format!("resident, with {} stalled connections", role::STALLED_REQUESTS);
    table.add(row(&what, Figure::Megabytes(resident)));
    Ok(())
}

/// Gives other users access to the socket, and to a copy of this program.
fn open_to_others(setup: &Setup) -> anyhow::Result<PathBuf> {
    let directory = setup.service.socket().parent().context("the socket is in no directory")?;
    let program = directory.join("role");
    fs::copy(std::env::current_exe()?, &program)?;
    for path in [directory, &program] {
        fs::set_permissions(path, Permissions::from_mode(0o755))?;
    }
    Ok(program)
}

/// Running hostile callers, killed on drop.
struct Attack<'a> {
    hostile: [RoleProcess; 3],
    service: &'a QuoteService,
    begin: Instant,
    before: (Duration, Duration),
}

impl<'a> Attack<'a> {
    /// Starts all of them, and begins to measure once the stalled connections are open.
    fn start(program: &Path, service: &'a QuoteService) -> anyhow::Result<Self> {
        let play = |role: Role| role.play(program, service.socket());
        let hostile = [play(Role::Stalling)?, play(Role::Garbage)?, play(Role::Greedy)?];
        let before = (Duration::ZERO, Duration::ZERO);
        let mut attack = Self { hostile, service, begin: Instant::now(), before };
        attack.hostile[0].line()?;
        (attack.begin, attack.before) = (Instant::now(), attack.cpu_times()?);
        Ok(attack)
    }

    /// The CPU times of the service with its workers, and of the hostile callers.
    fn cpu_times_in_a_second(&self) -> anyhow::Result<(Duration, Duration)> {
        let (service, hostile) = self.cpu_times()?;
        let seconds = self.begin.elapsed().as_secs_f64();
        let per_second = |time: Duration, before| time.saturating_sub(before).div_f64(seconds);
        Ok((per_second(service, self.before.0), per_second(hostile, self.before.1)))
    }

    fn cpu_times(&self) -> anyhow::Result<(Duration, Duration)> {
        let hostile = self.hostile.iter().map(RoleProcess::cpu_time);
        Ok((self.service.cpu_time()?, hostile.sum::<anyhow::Result<_>>()?))
    }
}
