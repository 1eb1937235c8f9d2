//! Expired collateral. The program's clock cannot be set, so it was fetched a month ago.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use collateral::{
    Cache, CacheDirectory, CollateralId, Fetcher, RefreshPolicy, RetryPolicy, platform_items,
};
use collateral_server::SoftwareCollateral;
use software_platform::SoftwarePlatform;
use time::OffsetDateTime;
use verify::{PckCa, TrustedRoots};

use crate::support::Machine;

const DAY: Duration = Duration::from_secs(24 * 3600);
const FLAGS: &str = "--cache-dir cache --trusted-root root.pem --source http://127.0.0.1:1";

/// A machine with a platform of this age, and with collateral of that time in `cache`.
fn after(clock: fn() -> SystemTime, now: fn() -> OffsetDateTime) -> Machine {
    let machine = Machine::new();
    let (seed, created) = ("07".repeat(32), "2020-01-01T00:00:00Z");
    machine.write("seed", seed);
    machine
        .succeed(&format!("platform init --state-dir state --seed-file seed --created {created}"));
    machine.succeed("platform root --state-dir state --out root.pem");
    let platform = SoftwarePlatform::open(&machine.path("state")).unwrap();
    let fmspc = platform.pck_subject().fmspc;
    let roots = TrustedRoots::parse(&machine.read("root.pem")).unwrap();
    let source = SoftwareCollateral::new(Arc::new(platform), now);
    let fetcher = Fetcher::new(vec![Box::new(source)], roots, RetryPolicy::default(), clock);
    let directory = CacheDirectory::new(&machine.path("cache"), 1 << 20);
    let cache = Cache::new(fetcher, Some(directory), RefreshPolicy::default(), Box::new(|_| {}));
    let standard = collateral::TcbUpdate::Standard;
    let items: [CollateralId; 4] =
        platform_items(verify::Tee::Sgx, fmspc, PckCa::Platform, standard);
    for item in &items {
        cache.refresh(item).unwrap();
    }
    machine
}

#[test]
fn expired_collateral_is_shown_and_not_exported() {
    let machine = after(
        || SystemTime::now() - 31 * DAY,
        || OffsetDateTime::now_utc() - time::Duration::days(31),
    );
    let list = machine.succeed(&format!("collateral list --output json {FLAGS}")).json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 4);
    assert!(items.iter().all(|item| item["expired"] == true && item["due"] == true), "{list}");
    assert!(items.iter().all(|item| item["days_left"].as_i64().unwrap() < 0), "{list}");
    let text = machine.succeed(&format!("collateral list {FLAGS}")).stdout;
    assert_eq!(text.matches("EXPIRED").count(), 4, "{text}");

    let status = machine.run(&format!("collateral status {FLAGS}")).with_code(7).stdout;
    assert!(status.starts_with("REVOKED OR EXPIRED\n"), "{status}");
    machine
        .run(&format!("collateral export bundle {FLAGS}"))
        .with_code(1)
        .says(&["no valid collateral in cache"]);
    assert!(!machine.path("bundle").exists());
}

#[test]
fn expiry_within_a_week_is_a_warning() {
    let machine = after(
        || SystemTime::now() - 25 * DAY,
        || OffsetDateTime::now_utc() - time::Duration::days(25),
    );
    let status = machine.run(&format!("collateral status {FLAGS}")).with_code(5).stdout;
    assert!(status.contains("TCB info (SGX) of FMSPC"), "{status}");
    assert!(status.contains("days left: 4"), "{status}");
    let fetch = machine.run(&format!("collateral fetch {FLAGS}")).with_code(1);
    fetch.says(&["4 of 4 items"]);
}
