//! The network is never in the road of a quote: Intel's library asks ours for the PCK certificate
//! each time, and whoever that one has it from may be slow, hang or be dead.

mod upstream;

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use software_platform::SoftwarePlatform;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::{Machine, Serve, eventually};
use test_support::provider::Provider;
use test_support::shared_object::{Profile, shared_object};
use upstream::{Upstream, software_platform};

/// Far more than a quote takes on a busy machine, and less than it would take to wait for somebody
/// who hangs.
const AT_ONCE: Duration = Duration::from_millis(1_500);

/// A machine whose quoting library asks for the platform's PCK certificate.
struct Site {
    machine: Machine,
    provider: Provider,
    upstream: Upstream,
}

impl Site {
    fn new() -> Self {
        let (machine, platform) = (Machine::new(), software_platform());
        machine.write("root.pem", platform.root_certificate().pem());
        machine.write("platform.bin", description(&platform));
        Self { machine, provider: Provider::build(), upstream: Upstream::start(platform) }
    }

    /// The same, with the PCK certificate in the cache and no service that has it in memory.
    fn with_cache() -> Self {
        let site = Self::new();
        let _serve = site.serve();
        site.quotes();
        site
    }

    fn serve(&self) -> Serve {
        Serve::start(&mut self.command())
    }

    fn command(&self) -> Command {
        let mut command = self.machine.command(&format!(
            "serve --platform dcap --socket aesm.socket --state-dir state --workers 2 --log-format json \
             --metrics-listen 127.0.0.1:0 \
             --dcap-library {}",
            self.provider.library().display()
        ));
        command
            .env("PROVIDER_QPL", quote_provider())
            .env("PROVIDER_PLATFORM", self.machine.path("platform.bin"))
            .env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{}", self.upstream.address()))
            .env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", self.machine.path("cache"))
            .env("QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT", self.machine.path("root.pem"));
        command
    }

    /// Asks for quotes for a while, each once: hundreds are made, none fails, and none waits.
    #[track_caller]
    fn quotes(&self) {
        let longest = self.quotes_for("2s");
        assert!(longest < AT_ONCE, "{longest:?}");
    }

    /// Asks for quotes for this time, of which none fails. Gives the longest time that one took.
    #[track_caller]
    fn quotes_for(&self, time: &str) -> Duration {
        let line = format!("load --socket aesm.socket --clients 4 --duration {time} --output json");
        let figures = self.machine.succeed(&line).json();
        assert_eq!(figures["errors"], 0, "{figures}");
        assert!(figures["requests"].as_u64() >= Some(500), "{figures}");
        Duration::from_micros(figures["latency_max_us"].as_u64().unwrap())
    }

    /// Starts a service whose client is told this, and whose log says that, within the service's
    /// time for a quote.
    #[track_caller]
    fn quote_fails(&self, told: &str, logged: &str) {
        let (serve, begin) = (self.serve(), Instant::now());
        let quote = self.machine.run("quote --socket aesm.socket --report-data 01 --out q.bin");
        quote.with_code(1).says(&[told]);
        assert!(begin.elapsed() < Duration::from_secs(12), "{:?}", begin.elapsed());
        serve.signal(Signal::TERM);
        let (_, log) = serve.wait();
        assert!(log.contains(logged), "{log}");
    }

    /// The file of the cache with the PCK certificate.
    fn file(&self) -> PathBuf {
        let files = std::fs::read_dir(self.machine.path("cache")).unwrap();
        let mut files = files.map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|extension| extension == "json")).unwrap()
    }

    fn fetched(&self) -> OffsetDateTime {
        let record: Value = serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap();
        OffsetDateTime::parse(record["fetched"].as_str().unwrap(), &Rfc3339).unwrap()
    }

    /// Has the certificate be fetched so long ago.
    fn age(&self, age: time::Duration) {
        let path = self.file();
        let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let then = OffsetDateTime::now_utc().checked_sub(age).unwrap();
        record["fetched"] = then.format(&Rfc3339).unwrap().into();
        std::fs::write(path, record.to_string()).unwrap();
    }
}

#[test]
fn quotes_go_on_whatever_becomes_of_the_upstream() {
    let mut site = Site::new();
    let serve = site.serve();
    site.quotes();
    assert_eq!(site.upstream.asked(), 1, "what two workers and the service share is fetched once");
    site.upstream.die();
    site.quotes();
    drop(serve);
    let serve = site.serve();
    site.quotes();
    site.upstream.hang();
    site.quotes();
    drop(serve);
    let _serve = site.serve();
    site.quotes();
    assert!(!site.upstream.is_called(), "there was nothing to ask for");
    site.upstream.revive();
    site.quotes();
    assert_eq!(site.upstream.asked(), 1);
}

#[test]
fn due_collateral_is_refreshed_while_quotes_go_on() {
    let site = Site::with_cache();
    site.age(time::Duration::days(2));
    site.upstream.slow(Duration::from_secs(2));
    let _serve = site.serve();
    eventually("the upstream is asked again", || site.upstream.asked() == 2);
    site.quotes();
    eventually("what it says is kept", || {
        OffsetDateTime::now_utc() - site.fetched() < time::Duration::DAY
    });
    site.quotes();
    assert_eq!(site.upstream.asked(), 2);
}

/// A refresh that hangs takes the service's time, but none of the quotes'.
#[test]
fn quotes_go_on_while_a_refresh_hangs() {
    let mut site = Site::with_cache();
    site.age(time::Duration::days(2));
    site.upstream.hang();
    let _serve = site.serve();
    eventually("the upstream is called", || site.upstream.is_called());
    site.quotes();
}

/// The certificate has expired by the age that is set, and workers leave it to the service to fetch
/// another.
#[test]
fn an_expired_certificate_serves_while_the_upstream_hangs() {
    let mut site = Site::with_cache();
    site.age(time::Duration::days(2));
    site.upstream.hang();
    let _serve = Serve::start(site.command().env("QUOTE_HELPER_COLLATERAL_CACHE_MAX_AGE", "1h"));
    site.quotes();
}

#[test]
fn without_a_certificate_and_an_upstream_the_error_is_clear_and_comes_in_time() {
    let mut site = Site::new();
    site.upstream.die();
    site.quote_fails(
        "the network failed (AESM_NETWORK_ERROR, 12)",
        "SGX_QL_NETWORK_ERROR (0xe019)",
    );
    site.upstream.hang();
    site.quote_fails(
        "the network failed (AESM_NETWORK_ERROR, 12)",
        "SGX_QL_NETWORK_ERROR (0xe019)",
    );
}

fn quote_provider() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| shared_object("libdcap-quoteprov", Profile::Dev))
}

/// As the quoting library of the tests reads it.
fn description(platform: &SoftwarePlatform) -> Vec<u8> {
    let subject = platform.pck_subject();
    let pce_svn = subject.pce_svn.to_le_bytes();
    [&platform.qe_id()[..], &subject.cpu_svn.0, &pce_svn, &subject.pce_id].concat()
}
